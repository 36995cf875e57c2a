// CUDA's __half for NVRTC: the type and the two conversions that the kernels use. CUDA's own header needs its include folder.
#pragma once

struct __half { unsigned short bits; };

__device__ inline float __half2float(__half x) {
    float out;
    asm("cvt.f32.f16 %0, %1;" : "=f"(out) : "h"(x.bits));
    return out;
}
__device__ inline __half __float2half_rn(float x) {
    __half out;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(out.bits) : "f"(x));
    return out;
}
