#include "winograd/winograd.h"

#include <omp.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "scratch.h"
#include "winograd/winograd_kernels.h"

namespace sltt_cpu {

// The variants of winograd_kernels_tu.cpp.
extern __attribute__((visibility("hidden"))) const WinogradKernels winograd_kernels_v3, winograd_kernels_v4;

namespace {

constexpr int CHANNELS = 16;                 // channel counts are multiples of it
constexpr size_t FILTER_BYTES = 5 << 20;     // largest transformed filter that is stored whole: a share of the L3 cache
constexpr size_t INPUT_BYTES = 9 << 19;      // most patches that are transformed before the filter: a share of the L3 cache
constexpr size_t BLOCK_BYTES = 5 << 16;      // patches and products of a thread, filter first: a share of its L2 cache
constexpr int SHARE = 128;                   // input channels; their transformed panel, 0.6 MiB, stays in a thread's L2 cache
constexpr size_t LINE = 64 / sizeof(float);  // padding that keeps strides off powers of two, where cache sets collide

int parts(int whole, int part) { return (whole + part - 1) / part; }

bool possible(ConvolutionPass pass, const ConvolutionShape& s, Number type) {
    bool allowed = pass == ConvolutionPass::BackwardData || (pass == ConvolutionPass::Forward && s.fast_math);
    return allowed && type == Number::Float && s.r == 3 && s.s == 3 && s.stride_h == 1 && s.stride_w == 1 && s.dilation_h == 1 &&
           s.dilation_w == 1 && s.pad_h == s.pad_w && s.pad_h <= 2 && s.c % CHANNELS == 0 && s.k % CHANNELS == 0;
}

const WinogradKernels& kernels_of(int level) { return level == 4 ? winograd_kernels_v4 : winograd_kernels_v3; }

}  // namespace

Winograd::Winograd(ConvolutionPass pass, const ConvolutionShape& s, const WinogradKernels& kernels, int threads)
    : forward_(pass == ConvolutionPass::Forward),
      in_(forward_ ? Map{s.h, s.w, s.c} : Map{s.p, s.q, s.k}),
      out_(forward_ ? Map{s.p, s.q, s.k} : Map{s.h, s.w, s.c}),
      pad_(forward_ ? s.pad_h : 2 - s.pad_h),
      kernels_(kernels),
      threads_(threads),
      tiles_h_(parts(out_.h, WINOGRAD_TILE)),
      tiles_w_(parts(out_.w, WINOGRAD_TILE)),
      tiles_(s.n * tiles_h_ * tiles_w_),
      panels_(parts(out_.channels, kernels_.panel)) {
    const int panel = kernels_.panel;
    auto points = [](size_t stride) { return whole_lines(WINOGRAD_POINTS * stride * sizeof(float)); };
    pitch_ = in_.channels + LINE;
    size_t whole_filter = panels_ * points((size_t)in_.channels * panel + LINE);
    size_t tile_input = points(pitch_), tile_products = points(panel);
    filter_first_ = whole_filter <= FILTER_BYTES;

    // Blocks of nearly equal size. Filter first, a block is one thread's work, so there are enough blocks for all threads.
    size_t max_tiles =
        filter_first_ ? BLOCK_BYTES / (tile_input + tile_products) / kernels_.rows * kernels_.rows : INPUT_BYTES / tile_input;
    int blocks = parts(tiles_, std::max<int>((int)max_tiles, kernels_.rows));
    if (filter_first_) blocks = std::max(blocks, std::min(threads_, tiles_));
    block_ = parts(tiles_, blocks);
    share_ = filter_first_ ? in_.channels : std::min(SHARE, in_.channels);

    filter_point_ = (size_t)share_ * panel + LINE;
    input_point_ = block_ * pitch_;
    product_point_ = (size_t)block_ * panel + LINE;
    filter_bytes_ = points(filter_point_);
    input_bytes_ = points(input_point_);
    product_bytes_ = points(product_point_);
    workspace_ = filter_first_ ? panels_ * filter_bytes_ : input_bytes_;
}

void Winograd::transform_filter(const ConvolutionCall& call, int out, int in, int count, float* to, size_t point_stride) const {
    const float* filter = static_cast<const float*>(call.filter);
    size_t tap = forward_ ? in_.channels : out_.channels, row = 9 * tap;
    WinogradFilter f{filter + (forward_ ? out * row + in : in * row + out), count, out_.channels - out, row, call.alpha, to, point_stride};
    forward_ ? kernels_.filter_forward(f) : kernels_.filter(f);
}

void Winograd::transform_input(const ConvolutionCall& call, int first, int tiles, float* to) const {
    kernels_.input({static_cast<const float*>(forward_ ? call.x : call.y), in_.h, in_.w, in_.channels, pad_, tiles_h_, tiles_w_, first,
                    tiles, to, pitch_, input_point_});
}

void Winograd::transform_output(const ConvolutionCall& call, int out, int first, int tiles, const float* products) const {
    kernels_.output({products, product_point_, static_cast<float*>(forward_ ? call.y : call.x) + out,
                     std::min(kernels_.panel, out_.channels - out), out_.h, out_.w, out_.channels, tiles_h_, tiles_w_, first, tiles,
                     call.beta});
}

void Winograd::run(const ConvolutionCall& call) const { filter_first_ ? filter_first(call) : tiles_first(call); }

void Winograd::filter_first(const ConvolutionCall& call) const {
    char* workspace = static_cast<char*>(call.workspace);
    const int panel = kernels_.panel, blocks = parts(tiles_, block_);
    char* memory = scratch_memory(std::min(threads_, blocks) * (input_bytes_ + product_bytes_));
#pragma omp parallel num_threads(std::min(threads_, blocks))
    {
        char* scratch = memory + omp_get_thread_num() * (input_bytes_ + product_bytes_);
        float *patches = reinterpret_cast<float*>(scratch), *products = reinterpret_cast<float*>(scratch + input_bytes_);
        constexpr int AT_A_TIME = 16;  // input channels that a thread transforms
        int shares = parts(in_.channels, AT_A_TIME);
#pragma omp for schedule(static)
        for (int i = 0; i < panels_ * shares; ++i) {
            int j = i / shares, k = i % shares * AT_A_TIME;
            float* to = reinterpret_cast<float*>(workspace + j * filter_bytes_) + k * panel;
            transform_filter(call, j * panel, k, std::min(AT_A_TIME, in_.channels - k), to, filter_point_);
        }
#pragma omp for schedule(dynamic)
        for (int block = 0; block < blocks; ++block) {
            int first = block * block_, tiles = std::min(block_, tiles_ - first);
            transform_input(call, first, tiles, patches);
            for (int j = 0; j < panels_; ++j) {
                const float* filter = reinterpret_cast<const float*>(workspace + j * filter_bytes_);
                for (int i = 0; i < WINOGRAD_POINTS; ++i)
                    kernels_.multiply({patches + i * input_point_, pitch_, filter + i * filter_point_, products + i * product_point_, tiles,
                                       in_.channels, false});
                transform_output(call, j * panel, first, tiles, products);
            }
        }
    }
}

void Winograd::tiles_first(const ConvolutionCall& call) const {
    char* workspace = static_cast<char*>(call.workspace);
    const int panel = kernels_.panel;
    float* patches = reinterpret_cast<float*>(workspace);
    char* memory = scratch_memory(std::min(threads_, panels_) * (filter_bytes_ + product_bytes_));
#pragma omp parallel num_threads(std::min(threads_, panels_))
    {
        char* scratch = memory + omp_get_thread_num() * (filter_bytes_ + product_bytes_);
        float *filter = reinterpret_cast<float*>(scratch), *products = reinterpret_cast<float*>(scratch + filter_bytes_);
        for (int first = 0; first < tiles_; first += block_) {
            int tiles = std::min(block_, tiles_ - first);
#pragma omp for schedule(static)
            for (int i = 0; i < tiles; ++i) transform_input(call, first + i, 1, patches + i * pitch_);
#pragma omp for schedule(dynamic)
            for (int j = 0; j < panels_; ++j) {
                for (int k = 0; k < in_.channels; k += share_) {
                    int count = std::min(share_, in_.channels - k);
                    transform_filter(call, j * panel, k, count, filter, filter_point_);
                    for (int i = 0; i < WINOGRAD_POINTS; ++i)
                        kernels_.multiply({patches + i * input_point_ + k, pitch_, filter + i * filter_point_,
                                           products + i * product_point_, tiles, count, k > 0});
                }
                transform_output(call, j * panel, first, tiles, products);
            }
        }
    }
}

const Winograd* winograd(ConvolutionPass pass, const ConvolutionShape& shape, Number type, LoopTarget target) {
    if (target.level < 3 || !possible(pass, shape, type)) return nullptr;
    static std::mutex mutex;
    static auto& plans = *new std::map<std::tuple<ConvolutionPass, ConvolutionShape, int, int>, std::unique_ptr<Winograd>>();
    std::lock_guard<std::mutex> lock(mutex);
    std::unique_ptr<Winograd>& found = plans[{pass, shape, target.level, target.threads}];
    if (!found) found = std::make_unique<Winograd>(pass, shape, kernels_of(target.level), target.threads);
    return found.get();
}

// Costs in multiplications of the direct way: a transform costs TILE for each tile and channel, and FILTER for each pair of channels.
// Measured on one core of an EPYC (Zen 4, AVX-512) with `out/native-build/convolution_bench --rates 0.15`.
bool winograd_is_faster(ConvolutionPass pass, const ConvolutionShape& s, int level) {
    constexpr double TILE = 540, FILTER = 600, WORTH = 0.8;
    bool forward = pass == ConvolutionPass::Forward;
    int panel = kernels_of(level).panel, out = forward ? s.k : s.c, in = forward ? s.c : s.k;
    double tiles = (double)s.n * parts(forward ? s.p : s.h, WINOGRAD_TILE) * parts(forward ? s.q : s.w, WINOGRAD_TILE);
    double pairs = (double)in * parts(out, panel) * panel;
    double by_winograd = tiles * (WINOGRAD_POINTS * pairs + TILE * (s.k + s.c)) + FILTER * pairs;
    return by_winograd < WORTH * s.flops() / 2;
}

}  // namespace sltt_cpu
