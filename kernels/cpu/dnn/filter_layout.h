// Moves a filter between cuDNN's NHWC format (KRSC) and the blocked layout that a oneDNN primitive chose.
#pragma once

#include <dnnl.hpp>
#include <vector>

#include "convolution.h"

namespace sltt_cpu {

class FilterLayout {
public:
    FilterLayout() = default;
    // `blocked`: the primitive's filter descriptor, in float or bfloat16. `type`: the KRSC filter's. `gradient`: the filter is written
    // (unpacked), not read (packed).
    FilterLayout(const ConvolutionShape& shape, Number type, const dnnl::memory::desc& blocked, bool gradient);

    size_t blocked_bytes() const { return blocked_.get_size(); }
    size_t scratchpad_bytes() const { return scratchpad_bytes_; }

    // Creates the primitives, so that pack() and unpack() create nothing.
    void prepare();
    // blocked = alpha * filter.
    void pack(void* blocked, const void* filter, float alpha, void* scratchpad) const;
    // filter = alpha * blocked + beta * filter.
    void unpack(void* filter, const void* blocked, float alpha, float beta, void* scratchpad) const;

private:
    void pack_rows(void* blocked, const void* filter, float alpha) const;
    void unpack_rows(void* filter, const void* blocked, float alpha, float beta) const;
    bool blocked_is_float() const { return blocked_.data.data_type == dnnl_f32; }

    ConvolutionShape shape_{};
    Number type_ = Number::Float;
    bool gradient_ = false;
    dnnl::memory::desc blocked_, plain_;
    dnnl::reorder::primitive_desc copy_desc_, add_desc_;  // empty where oneDNN has none for these types
    dnnl::reorder copy_, add_;
    size_t scratchpad_bytes_ = 0;
    std::vector<size_t> k_, c_, r_, s_;  // by index: the offset that each dimension adds in the blocked layout
};

}  // namespace sltt_cpu
