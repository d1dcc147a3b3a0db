// Circular film around a vortex core, lengths in units of xi. The circle ring, curve between the regions core and
// outer, surrounds the vortex; the mesh is refined towards the centre.

radius = 5.0;        // of the film
ring = 2.0;          // of the inner circle
h_core = 0.13;       // mesh size at the centre
h_ring = 0.30;       // mesh size at the inner circle
h_edge = 0.50;       // mesh size at the edge

Point(1) = {0, 0, 0, h_core};
For k In {0:3}
  Point(10 + k) = {ring * Cos(k * Pi / 2), ring * Sin(k * Pi / 2), 0, h_ring};
  Point(20 + k) = {radius * Cos(k * Pi / 2), radius * Sin(k * Pi / 2), 0, h_edge};
EndFor
For k In {0:3}
  Circle(10 + k) = {10 + k, 1, 10 + (k + 1) % 4};
  Circle(20 + k) = {20 + k, 1, 20 + (k + 1) % 4};
EndFor

Curve Loop(1) = {10, 11, 12, 13};
Curve Loop(2) = {20, 21, 22, 23};
Plane Surface(1) = {1};
Plane Surface(2) = {2, 1};
Point{1} In Surface{1};

Physical Surface("core") = {1};
Physical Surface("outer") = {2};
Physical Curve("ring") = {10, 11, 12, 13};
Physical Curve("edge") = {20, 21, 22, 23};
