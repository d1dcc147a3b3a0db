// Planar SFS weak link: a ferromagnetic film between two superconducting reservoirs, lengths in units of xi.
//
//          ________                 ________   y =  lead / 2
//         |        \_______________/        |
//    left |           weak_link             | right
//         |         _______________         |
//         |________/               \________|  y = -lead / 2
//       x = -1          x = 0             x = 1
//
// Only the weak link is meshed: the reservoirs are boundary conditions at the curves left and right. The leads narrow
// to the constriction along two circular arcs that are tangent to each other and to the straight edges.

length = 2.0;        // from reservoir to reservoir
lead = 1.0;          // width where the reservoirs touch
neck = 0.5;          // width of the constriction
straight = 0.25;     // length of each lead of full width
channel = 0.3;       // length of the constriction of constant width
h_lead = 0.095;      // mesh size at the reservoirs
h_neck = 0.055;      // mesh size in the constriction

x1 = channel / 2;
x3 = length / 2 - straight;
x2 = (x1 + x3) / 2;                              // where the two arcs meet
y1 = neck / 2;
y3 = lead / 2;
y2 = (y1 + y3) / 2;
r = ((x2 - x1)^2 + (y2 - y1)^2) / (2 * (y2 - y1));  // radius of the arcs

// One corner after the other, (sx, sy) being the quadrant; the points of a quadrant are numbered from 10 * q
For q In {1:4}
  sx = (q == 1 || q == 4) ? 1 : -1;
  sy = (q <= 2) ? 1 : -1;
  Point(10 * q + 1) = {sx * x1, sy * y1, 0, h_neck};
  Point(10 * q + 2) = {sx * x2, sy * y2, 0, (h_neck + h_lead) / 2};
  Point(10 * q + 3) = {sx * x3, sy * y3, 0, h_lead};
  Point(10 * q + 4) = {sx * length / 2, sy * y3, 0, h_lead};
  Point(10 * q + 5) = {sx * x1, sy * (y1 + r), 0};
  Point(10 * q + 6) = {sx * x3, sy * (y3 - r), 0};
  Circle(10 * q + 1) = {10 * q + 1, 10 * q + 5, 10 * q + 2};
  Circle(10 * q + 2) = {10 * q + 2, 10 * q + 6, 10 * q + 3};
  Line(10 * q + 3) = {10 * q + 3, 10 * q + 4};
EndFor

Line(1) = {11, 21};  // upper edge of the constriction
Line(2) = {31, 41};  // lower edge of the constriction
Line(3) = {24, 34};  // left reservoir
Line(4) = {44, 14};  // right reservoir

Curve Loop(1) = {1, 21, 22, 23, 3, -33, -32, -31, 2, 41, 42, 43, 4, -13, -12, -11};
Plane Surface(1) = {1};

Physical Surface("weak_link") = {1};
Physical Curve("left") = {3};
Physical Curve("right") = {4};
