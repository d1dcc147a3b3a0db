// Round wire that narrows smoothly to a neck, a weak link between two reservoirs, lengths in units of xi. The axis is
// x; a profile in the plane z = 0 is turned about it. The reservoirs touch the discs left (x = -length / 2) and right.

SetFactory("OpenCASCADE");

length = 2.0;        // from reservoir to reservoir
r_end = 0.4;         // radius at the reservoirs
r_neck = 0.22;       // radius in the middle
h = 0.086;           // mesh size

Point(1) = {-length / 2, 0, 0};
Point(2) = {length / 2, 0, 0};
n = 20;              // intervals of the profile
For k In {0:n}
  x = length / 2 * (1 - 2 * k / n);
  Point(10 + k) = {x, r_neck + (r_end - r_neck) * Sin(Pi * x / length)^2, 0};
EndFor

Line(1) = {1, 2};
Line(2) = {2, 10};
Spline(3) = {10:10 + n};
Line(4) = {10 + n, 1};
Curve Loop(1) = {1, 2, 3, 4};
Plane Surface(1) = {1};
wire[] = Extrude { {1, 0, 0}, {0, 0, 0}, 2 * Pi } { Surface{1}; };

e = 1e-3;
left() = Surface In BoundingBox{-length / 2 - e, -1, -1, -length / 2 + e, 1, 1};
right() = Surface In BoundingBox{length / 2 - e, -1, -1, length / 2 + e, 1, 1};

Mesh.MeshSizeMin = h;
Mesh.MeshSizeMax = h;

Physical Volume("weak_link") = {wire[1]};
Physical Surface("left") = {left()};
Physical Surface("right") = {right()};
