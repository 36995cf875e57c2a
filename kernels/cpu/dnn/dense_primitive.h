// oneDNN's primitive for a pass of a convolution over some images: activations in NHWC, the filter in the layout that oneDNN prefers.
//
// It is planned for one thread and runs on one. oneDNN's plan, and so the order of its sums, may depend on the number of threads.
#pragma once

#include <dnnl.hpp>

#include "convolution.h"

namespace sltt_cpu {

class DensePrimitive {
public:
    DensePrimitive() = default;  // for no images
    // `sum`: the forward pass adds to y. `filter`: the filter's layout; empty lets oneDNN choose.
    DensePrimitive(ConvolutionPass pass, const ConvolutionShape& shape, int images, dnnl::memory::data_type type, bool sum,
                   const dnnl::memory::desc& filter);

    // Whether the primitive exists but computes wrong numbers.
    bool is_wrong() const;
    // Whether it multiplies bfloat16 by the processor's instructions for it. SLTT_CPU_BF16=native|float overrides it.
    bool has_native_bfloat16() const;
    // Replaces a weight gradient of 1x1 filters by a loop of our own.
    void replace_by_loop();

    const dnnl::memory::desc& filter() const { return filter_; }
    size_t scratchpad_bytes() const { return scratchpad_.get_size(); }

    // Generates the primitive's code, so that run() generates none.
    void prepare();
    // Reads two of the arrays and writes the pass's result into the third.
    void run(const void* x, const void* filter, const void* y, void* scratchpad) const;

private:
    template <class Desc> void describe(const Desc& desc, const dnnl::memory::desc& filter);

    ConvolutionPass pass_ = ConvolutionPass::Forward;
    ConvolutionShape shape_{};  // `n` is the number of images
    bool loop_ = false;
    dnnl::memory::desc x_, y_, filter_, scratchpad_;
    const char* implementation_ = "";
    dnnl::convolution_forward::primitive_desc forward_;
    dnnl::convolution_backward_data::primitive_desc data_;
    dnnl::convolution_backward_weights::primitive_desc gradient_;
    dnnl::primitive primitive_;
};

}  // namespace sltt_cpu
