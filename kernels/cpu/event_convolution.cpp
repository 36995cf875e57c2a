#include "event_convolution.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "convolution_setting.h"
#include "dnn_numbers.h"
#include "event_passes.h"

namespace sltt_cpu {

// The tables of event_kernels_tu.cpp's variants.
extern __attribute__((visibility("hidden"))) const EventKernels event_kernels_v2, event_kernels_v3, event_kernels_v4;

namespace {

const EventKernels& kernels_of(int level) { return level == 4 ? event_kernels_v4 : level == 3 ? event_kernels_v3 : event_kernels_v2; }

bool served(ConvolutionPass pass, const ConvolutionShape& s) { return pass != ConvolutionPass::BackwardData && s.w <= EVENT_WIDTH; }

constexpr size_t SAMPLED = 1 << 16;  // numbers from which on a sample is counted
constexpr int SAMPLE = 8;            // one of so many pixels

// Share of x's numbers that are not zero. Of large x every eighth pixel is looked at, in all columns by turns.
double density(const ConvolutionShape& s, cudnnDataType_t type, const void* x, const EventKernels& kernels, int threads) {
    size_t pixels = (size_t)s.n * s.h * s.w;
    if (pixels * s.c < SAMPLED) return (double)kernels.count(x, number_of(type), pixels * s.c) / ((double)pixels * s.c);
    int64_t samples = (int64_t)(pixels / SAMPLE);
    int64_t events = 0;
#pragma omp parallel for schedule(static) reduction(+ : events) num_threads(threads)
    for (int64_t i = 0; i < samples; ++i)
        events += (int64_t)kernels.count(element(x, type, (size_t)(i * SAMPLE + (i / 4) % SAMPLE) * s.c), number_of(type), s.c);
    return (double)events / ((double)samples * s.c);
}

}  // namespace

class EventConvolution {
public:
    EventConvolution(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type, int level, int threads)
        : pass(pass), shape(shape), type(type), level(level), kernels(kernels_of(level)), threads(threads) {
        if (pass == ConvolutionPass::Forward)
            forward = std::make_unique<EventForward>(shape, type, kernels, threads);
        else
            gradient = std::make_unique<EventGradient>(shape, type, kernels, threads);
    }
    size_t workspace() const { return forward ? forward->workspace() : gradient->workspace(); }

    const ConvolutionPass pass;
    const ConvolutionShape shape;
    const cudnnDataType_t type;
    const int level;  // of the kernels' instruction set
    const EventKernels& kernels;
    const int threads;
    std::unique_ptr<EventForward> forward;
    std::unique_ptr<EventGradient> gradient;
    // Calls since they were last asked for, and the densities that the choice went by; under `mutex`.
    uint64_t dense_calls = 0, event_calls = 0, looked_at = 0;
    double densities = 0;
};

namespace {
using Key = std::tuple<ConvolutionPass, cudnnDataType_t, ConvolutionShape, int, int>;
std::mutex mutex;  // of the plans and their counts
// Live as long as the process, as the dense plans do.
std::map<Key, std::unique_ptr<EventConvolution>>& plans() {
    static auto& plans = *new std::map<Key, std::unique_ptr<EventConvolution>>();
    return plans;
}

// The calls of all convolutions that have a choice, as JSON.
std::string counts_as_json(bool reset) {
    std::string out = "[";
    std::lock_guard<std::mutex> lock(mutex);
    for (auto& entry : plans()) {
        EventConvolution& e = *entry.second;
        if (e.dense_calls + e.event_calls == 0) continue;
        const ConvolutionShape& s = e.shape;
        char fired[16] = "null", line[384];
        if (e.looked_at > 0) snprintf(fired, sizeof fired, "%.4f", e.densities / (double)e.looked_at);
        snprintf(line, sizeof line,
                 "%s{\"pass\":\"%s\",\"type\":\"%s\",\"x\":[%d,%d,%d,%d],\"filter\":[%d,%d,%d,%d],\"stride\":[%d,%d],\"fired\":%s,\"event\":%llu,\"dense\":%llu}",
                 out.size() > 1 ? "," : "", e.pass == ConvolutionPass::Forward ? "forward" : "backward filter",
                 e.type == CUDNN_DATA_FLOAT ? "float32" : e.type == CUDNN_DATA_HALF ? "float16" : "bfloat16", s.n, s.h, s.w, s.c, s.k, s.r, s.s, s.c, s.stride_h,
                 s.stride_w, fired, (unsigned long long)e.event_calls, (unsigned long long)e.dense_calls);
        out += line;
        if (reset) {
            e.dense_calls = e.event_calls = e.looked_at = 0;
            e.densities = 0;
        }
    }
    return out + "]";
}
}  // namespace

EventConvolution* event_convolution(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type) {
    if (!served(pass, shape)) return nullptr;
    ConvolutionSetting now = convolution_setting();
    std::lock_guard<std::mutex> lock(mutex);
    std::unique_ptr<EventConvolution>& found = plans()[{pass, type, shape, now.level, now.threads}];
    if (!found) found = std::make_unique<EventConvolution>(pass, shape, type, now.level, now.threads);
    return found.get();
}

size_t event_workspace(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type) {
    EventConvolution* planned = event_convolution(pass, shape, type);
    return planned == nullptr ? 0 : planned->workspace();
}

void run_events(EventConvolution& planned, const ConvolutionCall& call) {
    if (planned.forward)
        planned.forward->run(call);
    else
        planned.gradient->run(call);
}

bool run_where_sparse(EventConvolution& planned, const ConvolutionCall& call, double densest) {
    double fired = 0;
    bool looks = densest > 0 && std::isfinite(densest);
    if (looks) fired = density(call.shape, call.type, call.x, planned.kernels, planned.threads);
    bool sparse = densest > 0 && fired <= densest;
    {
        std::lock_guard<std::mutex> lock(mutex);
        ++(sparse ? planned.event_calls : planned.dense_calls);
        planned.looked_at += looks;
        planned.densities += fired;
    }
    if (sparse) run_events(planned, call);
    return sparse;
}

}  // namespace sltt_cpu

// What was chosen since it was last reset, as a JSON array with an object for each pass of each shape that can go either way: pass, type, x (n, h, w, c),
// filter (k, r, s, c), stride, fired (mean share of x's numbers that are not zero, of the calls that looked; null: none did), event and dense (calls).
// Writes up to `bytes` bytes with a final 0 and returns how many it takes; nothing is reset where they are too few.
SLTT_API size_t sltt_cpu_convolutions(char* json, size_t bytes, int reset) {
    using namespace sltt_cpu;
    std::string text = counts_as_json(false);
    if (json == nullptr || bytes <= text.size()) return text.size() + 1;
    memcpy(json, text.c_str(), text.size() + 1);
    if (reset != 0) counts_as_json(true);
    return text.size() + 1;
}
