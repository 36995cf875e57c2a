#include "convolution.h"

#include <tuple>

namespace sltt_cpu {

bool ConvolutionShape::operator<(const ConvolutionShape& o) const {
    auto all = [](const ConvolutionShape& x) {
        return std::tie(x.n, x.c, x.h, x.w, x.k, x.r, x.s, x.p, x.q, x.pad_h, x.pad_w, x.stride_h, x.stride_w, x.dilation_h, x.dilation_w,
                        x.fast_math);
    };
    return all(*this) < all(o);
}

}  // namespace sltt_cpu
