#include "event/event_convolution.h"

#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "event/event_passes.h"

namespace sltt_cpu {

// The variants of event_kernels_tu.cpp.
extern __attribute__((visibility("hidden"))) const EventKernels event_kernels_v2, event_kernels_v3, event_kernels_v4;

namespace {

const EventKernels& kernels_of(int level) { return level == 4 ? event_kernels_v4 : level == 3 ? event_kernels_v3 : event_kernels_v2; }

bool served(ConvolutionPass pass, const ConvolutionShape& s) { return pass != ConvolutionPass::BackwardData && s.w <= MAX_EVENT_WIDTH; }

constexpr size_t SAMPLED_FROM = 1 << 16;  // numbers; smaller inputs are counted whole
constexpr int SAMPLE = 8;                 // one pixel of this many is counted

// Share of x's numbers that are not zero. Large inputs are sampled: every eighth pixel, in all columns by turns.
double density(const ConvolutionShape& s, Number type, const void* x, const EventKernels& kernels, int threads) {
    size_t pixels = (size_t)s.n * s.h * s.w;
    if (pixels * s.c < SAMPLED_FROM) return (double)kernels.count(x, type, pixels * s.c) / ((double)pixels * s.c);
    int64_t samples = (int64_t)(pixels / SAMPLE);
    int64_t events = 0;
#pragma omp parallel for schedule(static) reduction(+ : events) num_threads(threads)
    for (int64_t i = 0; i < samples; ++i)
        events += (int64_t)kernels.count(element(x, type, (size_t)(i * SAMPLE + (i / 4) % SAMPLE) * s.c), type, s.c);
    return (double)events / ((double)samples * s.c);
}

}  // namespace

class EventConvolution {
public:
    EventConvolution(ConvolutionPass pass, const ConvolutionShape& shape, Number type, LoopTarget target)
        : pass(pass), shape(shape), type(type), kernels(kernels_of(target.level)), threads(target.threads) {
        if (pass == ConvolutionPass::Forward)
            forward = std::make_unique<EventForward>(shape, type, kernels, threads);
        else
            gradient = std::make_unique<EventGradient>(shape, type, kernels, threads);
    }

    const ConvolutionPass pass;
    const ConvolutionShape shape;
    const Number type;
    const EventKernels& kernels;
    const int threads;
    std::unique_ptr<EventForward> forward;
    std::unique_ptr<EventGradient> gradient;
    // Since the last reset, under `mutex`: calls, calls whose density was counted, and the sum of those densities.
    uint64_t dense_calls = 0, event_calls = 0, counted_calls = 0;
    double densities = 0;
};

namespace {

using Key = std::tuple<ConvolutionPass, Number, ConvolutionShape, int, int>;
std::mutex mutex;  // of the plans and their counts
// Never destroyed: work may still run while the process ends.
std::map<Key, std::unique_ptr<EventConvolution>>& plans() {
    static auto& plans = *new std::map<Key, std::unique_ptr<EventConvolution>>();
    return plans;
}

}  // namespace

EventConvolution* event_convolution(ConvolutionPass pass, const ConvolutionShape& shape, Number type, LoopTarget target) {
    if (!served(pass, shape)) return nullptr;
    std::lock_guard<std::mutex> lock(mutex);
    std::unique_ptr<EventConvolution>& found = plans()[{pass, type, shape, target.level, target.threads}];
    if (!found) found = std::make_unique<EventConvolution>(pass, shape, type, target);
    return found.get();
}

size_t event_workspace(const EventConvolution* plan) {
    if (plan == nullptr) return 0;
    return plan->forward ? plan->forward->workspace() : plan->gradient->workspace();
}

void run_events(EventConvolution& plan, const ConvolutionCall& call) {
    if (plan.forward)
        plan.forward->run(call);
    else
        plan.gradient->run(call);
}

bool run_where_sparse(EventConvolution& plan, const ConvolutionCall& call, double densest) {
    bool counts = densest > 0 && std::isfinite(densest);
    double fired = counts ? density(call.shape, call.type, call.x, plan.kernels, plan.threads) : 0;
    bool sparse = densest > 0 && fired <= densest;
    {
        std::lock_guard<std::mutex> lock(mutex);
        ++(sparse ? plan.event_calls : plan.dense_calls);
        plan.counted_calls += counts;
        plan.densities += fired;
    }
    if (sparse) run_events(plan, call);
    return sparse;
}

std::string event_counts_as_json(bool reset) {
    std::string out = "[";
    std::lock_guard<std::mutex> lock(mutex);
    for (auto& entry : plans()) {
        EventConvolution& e = *entry.second;
        if (e.dense_calls + e.event_calls == 0) continue;
        const ConvolutionShape& s = e.shape;
        char fired[16] = "null", line[384];
        if (e.counted_calls > 0) snprintf(fired, sizeof fired, "%.4f", e.densities / (double)e.counted_calls);
        snprintf(line, sizeof line,
                 "%s{\"pass\":\"%s\",\"type\":\"%s\",\"x\":[%d,%d,%d,%d],\"filter\":[%d,%d,%d,%d],\"stride\":[%d,%d],\"fired\":%s,"
                 "\"event\":%llu,\"dense\":%llu}",
                 out.size() > 1 ? "," : "", e.pass == ConvolutionPass::Forward ? "forward" : "backward filter", name_of(e.type), s.n, s.h,
                 s.w, s.c, s.k, s.r, s.s, s.c, s.stride_h, s.stride_w, fired, (unsigned long long)e.event_calls,
                 (unsigned long long)e.dense_calls);
        out += line;
        if (reset) {
            e.dense_calls = e.event_calls = e.counted_calls = 0;
            e.densities = 0;
        }
    }
    return out + "]";
}

}  // namespace sltt_cpu
