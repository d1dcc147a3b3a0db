// Four-terminal cross of normal metal, lengths in units of xi. Reservoirs touch the ends of the arms, the curves left,
// right, bottom and top; the mesh is refined at the four inner corners, where the spectral currents crowd.

arm = 1.0;           // from the centre to the end of an arm
width = 0.5;         // of the arms
h_end = 0.085;       // mesh size at the ends
h_corner = 0.034;    // mesh size at the inner corners

w = width / 2;
Point(1) = {w, -w, 0, h_corner};
Point(2) = {arm, -w, 0, h_end};
Point(3) = {arm, w, 0, h_end};
Point(4) = {w, w, 0, h_corner};
Point(5) = {w, arm, 0, h_end};
Point(6) = {-w, arm, 0, h_end};
Point(7) = {-w, w, 0, h_corner};
Point(8) = {-arm, w, 0, h_end};
Point(9) = {-arm, -w, 0, h_end};
Point(10) = {-w, -w, 0, h_corner};
Point(11) = {-w, -arm, 0, h_end};
Point(12) = {w, -arm, 0, h_end};

For k In {1:12}
  Line(k) = {k, k % 12 + 1};
EndFor
Curve Loop(1) = {1:12};
Plane Surface(1) = {1};

Physical Surface("N") = {1};
Physical Curve("right") = {2};
Physical Curve("top") = {5};
Physical Curve("left") = {8};
Physical Curve("bottom") = {11};
