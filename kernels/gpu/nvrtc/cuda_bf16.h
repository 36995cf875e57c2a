// CUDA's __nv_bfloat16 for NVRTC, as cuda_fp16.h. The conversion is an instruction from sm_80 on.
#pragma once

struct __nv_bfloat16 { unsigned short bits; };

__device__ inline float __bfloat162float(__nv_bfloat16 x) { return __uint_as_float((unsigned)x.bits << 16); }
__device__ inline __nv_bfloat16 __float2bfloat16_rn(float x) {
    __nv_bfloat16 out;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(out.bits) : "f"(x));
    return out;
}
