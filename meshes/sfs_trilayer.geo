// Planar S1 / F / S2 junction with superconductors that are part of the mesh, lengths in units of xi. The
// ferromagnetic strip is narrower than the superconductors, so the current spreads out into them.
//
//     ______________         ______________   y =  width / 2
//    |              |_______|              |
//    |      S1      |   F   |      S2      |
//    |              |_______|              |
//    |______________|       |______________|
//  left            S1_F   F_S2           right

width = 1.0;         // of the superconductors
strip = 0.6;         // width of the ferromagnet
thick = 0.8;         // length of the ferromagnet, from interface to interface
lead = 2.0;          // length of each superconductor
h_far = 0.14;        // mesh size at the outer ends
h_near = 0.055;      // mesh size at the interfaces

For s In {-1:1:2}    // the two superconductors: s = -1 is S1, s = 1 is S2
  b = 10 * (s + 2);  // first number, 10 for S1 and 30 for S2
  Point(b + 1) = {s * thick / 2, -strip / 2, 0, h_near};
  Point(b + 2) = {s * thick / 2, -width / 2, 0, h_near};
  Point(b + 3) = {s * (thick / 2 + lead), -width / 2, 0, h_far};
  Point(b + 4) = {s * (thick / 2 + lead), width / 2, 0, h_far};
  Point(b + 5) = {s * thick / 2, width / 2, 0, h_near};
  Point(b + 6) = {s * thick / 2, strip / 2, 0, h_near};
  For k In {1:5}
    Line(b + k) = {b + k, b + k + 1};
  EndFor
  Line(b + 6) = {b + 6, b + 1};                  // interface with F
  Curve Loop(b) = {b + 1, b + 2, b + 3, b + 4, b + 5, b + 6};
  Plane Surface(b) = {b};
EndFor

Line(51) = {11, 31};
Line(52) = {36, 16};
Curve Loop(50) = {51, -36, 52, 16};
Plane Surface(50) = {50};

Physical Surface("S1") = {10};
Physical Surface("F") = {50};
Physical Surface("S2") = {30};
Physical Curve("left") = {13};
Physical Curve("right") = {33};
Physical Curve("S1_F") = {16};
Physical Curve("F_S2") = {36};
