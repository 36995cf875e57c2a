// Functions of math.h are words of NVRTC itself.
#pragma once
#define INFINITY __int_as_float(0x7f800000)
