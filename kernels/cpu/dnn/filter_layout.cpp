// oneDNN's reorders serve the usual case (alpha 1, beta 0 or 1, equal types) at the speed of the cache. The loops here serve half,
// scaling and blending.
#include "dnn/filter_layout.h"

#include <algorithm>
#include <string.h>

#include "dnn/onednn.h"
#include "numbers.h"

namespace sltt_cpu {
namespace {

constexpr int ROW = 256;  // channels converted at a time

// The offsets that the indices of dimension `d` add in a blocked layout: inner blocks, then strides over whole blocks.
std::vector<size_t> offsets(const dnnl::memory::desc& desc, int d, int size) {
    const dnnl_blocking_desc_t& blocking = desc.data.format_desc.blocking;
    std::vector<size_t> out(size);
    for (int i = 0; i < size; ++i) {
        size_t index = i, stride = 1;
        for (int b = blocking.inner_nblks - 1; b >= 0; --b) {
            size_t block = blocking.inner_blks[b];
            if (blocking.inner_idxs[b] == d) {
                out[i] += index % block * stride;
                index /= block;
            }
            stride *= block;
        }
        out[i] += index * blocking.strides[d];
    }
    return out;
}

}  // namespace

FilterLayout::FilterLayout(const ConvolutionShape& shape, Number type, const dnnl::memory::desc& blocked, bool gradient)
    : shape_(shape),
      type_(type),
      gradient_(gradient),
      blocked_(blocked),
      k_(offsets(blocked, 0, shape.k)),
      c_(offsets(blocked, 1, shape.c)),
      r_(offsets(blocked, 2, shape.r)),
      s_(offsets(blocked, 3, shape.s)) {
    if (type == Number::Half) return;
    plain_ = dnnl::memory::desc({shape.k, shape.c, shape.r, shape.s}, onednn_type(type), dnnl::memory::format_tag::ohwi);
    bool same_type = blocked_.data.data_type == plain_.data.data_type;
    if (!same_type && !gradient) return;
    const dnnl::memory::desc& from = gradient ? blocked_ : plain_;
    const dnnl::memory::desc& to = gradient ? plain_ : blocked_;
    copy_desc_ = dnnl::reorder::primitive_desc(onednn_engine(), from, onednn_engine(), to, user_scratchpad());
    scratchpad_bytes_ = copy_desc_.scratchpad_desc().get_size();
    if (gradient && same_type) {
        dnnl::primitive_attr add = user_scratchpad();
        dnnl::post_ops sum;
        sum.append_sum();
        add.set_post_ops(sum);
        add_desc_ = dnnl::reorder::primitive_desc(onednn_engine(), from, onednn_engine(), to, add);
        scratchpad_bytes_ = std::max(scratchpad_bytes_, add_desc_.scratchpad_desc().get_size());
    }
}

void FilterLayout::prepare() {
    if (copy_desc_) copy_ = dnnl::reorder(copy_desc_);
    if (add_desc_) add_ = dnnl::reorder(add_desc_);
}

void FilterLayout::pack(void* blocked, const void* filter, float alpha, void* scratchpad) const {
    if (!copy_ || alpha != 1) return pack_rows(blocked, filter, alpha);
    execute(copy_, {{DNNL_ARG_FROM, plain_, filter},
                    {DNNL_ARG_TO, blocked_, blocked},
                    {DNNL_ARG_SCRATCHPAD, copy_desc_.scratchpad_desc(), scratchpad}});
}

void FilterLayout::unpack(void* filter, const void* blocked, float alpha, float beta, void* scratchpad) const {
    const dnnl::reorder& reorder = beta == 0 ? copy_ : add_;
    if (!reorder || alpha != 1 || (beta != 0 && beta != 1)) return unpack_rows(filter, blocked, alpha, beta);
    const dnnl::reorder::primitive_desc& desc = beta == 0 ? copy_desc_ : add_desc_;
    execute(reorder,
            {{DNNL_ARG_FROM, blocked_, blocked}, {DNNL_ARG_TO, plain_, filter}, {DNNL_ARG_SCRATCHPAD, desc.scratchpad_desc(), scratchpad}});
}

void FilterLayout::pack_rows(void* blocked, const void* filter, float alpha) const {
    size_t bytes = blocked_bytes();
    Number to = blocked_is_float() ? Number::Float : Number::Bfloat16;
    if (bytes != shape_.filter_count() * bytes_of(to)) memset(blocked, 0, bytes);  // channels are padded to whole blocks
    int taps = shape_.r * shape_.s;
#pragma omp parallel for schedule(static)
    for (int k = 0; k < shape_.k; ++k)
        for (int tap = 0; tap < taps; ++tap) {
            size_t row = ((size_t)k * taps + tap) * shape_.c, base = k_[k] + r_[tap / shape_.s] + s_[tap % shape_.s];
            float buffer[ROW];
            for (int c = 0; c < shape_.c; c += ROW) {
                int count = std::min(ROW, shape_.c - c);
                const float* x = as_floats(buffer, element(filter, type_, row + c), type_, count);
                if (to == Number::Float)
                    for (int i = 0; i < count; ++i) static_cast<float*>(blocked)[base + c_[c + i]] = alpha * x[i];
                else
                    for (int i = 0; i < count; ++i) blend(element(blocked, to, base + c_[c + i]), to, x + i, alpha, 0, 1);
            }
        }
}

void FilterLayout::unpack_rows(void* filter, const void* blocked, float alpha, float beta) const {
    int taps = shape_.r * shape_.s;
    const float* from = static_cast<const float*>(blocked);
#pragma omp parallel for schedule(static)
    for (int k = 0; k < shape_.k; ++k)
        for (int tap = 0; tap < taps; ++tap) {
            size_t row = ((size_t)k * taps + tap) * shape_.c, base = k_[k] + r_[tap / shape_.s] + s_[tap % shape_.s];
            float buffer[ROW];
            for (int c = 0; c < shape_.c; c += ROW) {
                int count = std::min(ROW, shape_.c - c);
                for (int i = 0; i < count; ++i) buffer[i] = from[base + c_[c + i]];
                blend(element(filter, type_, row + c), type_, buffer, alpha, beta, count);
            }
        }
}

}  // namespace sltt_cpu
