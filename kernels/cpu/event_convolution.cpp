#include "event_convolution.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "dnn_numbers.h"
#include "event_costs.h"
#include "event_passes.h"
#include "launch.h"

namespace sltt_cpu {

// The tables of event_kernels_tu.cpp's variants.
extern __attribute__((visibility("hidden"))) const EventKernels event_kernels_v2, event_kernels_v3, event_kernels_v4;

const EventKernels& event_kernels() {
    const char* level = instruction_set();
    return level[1] == '4' ? event_kernels_v4 : level[1] == '3' ? event_kernels_v3 : event_kernels_v2;
}

namespace {

enum class Choice : int { Measured, Dense, Event };

// SLTT_CPU_CONV=dense|event: which way all convolutions go that have both; else what event_costs.h says.
std::atomic<Choice>& forced() {
    static std::atomic<Choice> choice = [] {
        const char* set = getenv("SLTT_CPU_CONV");
        if (set == nullptr || *set == 0 || strcmp(set, "auto") == 0) return Choice::Measured;
        if (strcmp(set, "dense") == 0) return Choice::Dense;
        if (strcmp(set, "event") == 0) return Choice::Event;
        report(std::string("SLTT_CPU_CONV is '") + set + "', not auto, dense or event; ignored");
        return Choice::Measured;
    }();
    return choice;
}

bool served(ConvolutionPass pass, const ConvolutionShape& s) { return pass != ConvolutionPass::BackwardData && s.w <= EVENT_WIDTH; }

constexpr size_t SAMPLED = 1 << 16;  // numbers from which on a sample is counted
constexpr int SAMPLE = 8;            // one of so many pixels

// Share of x's numbers that are not zero. Of large x every eighth pixel is looked at, in all columns by turns.
double density(const ConvolutionShape& s, cudnnDataType_t type, const void* x) {
    const EventKernels& kernels = event_kernels();
    size_t pixels = (size_t)s.n * s.h * s.w;
    if (pixels * s.c < SAMPLED) return (double)kernels.count(x, number_of(type), pixels * s.c) / ((double)pixels * s.c);
    int64_t samples = (int64_t)(pixels / SAMPLE);
    int64_t events = 0;
#pragma omp parallel for schedule(static) reduction(+ : events) num_threads(thread_count())
    for (int64_t i = 0; i < samples; ++i)
        events += (int64_t)kernels.count(element(x, type, (size_t)(i * SAMPLE + (i / 4) % SAMPLE) * s.c), number_of(type), s.c);
    return (double)events / ((double)samples * s.c);
}

}  // namespace

class EventConvolution {
public:
    EventConvolution(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type) : pass(pass), shape(shape), type(type) {
        if (pass == ConvolutionPass::Forward)
            forward = std::make_unique<EventForward>(shape, type);
        else
            gradient = std::make_unique<EventGradient>(shape, type);
    }
    size_t workspace() const { return forward ? forward->workspace() : gradient->workspace(); }

    const ConvolutionPass pass;
    const ConvolutionShape shape;
    const cudnnDataType_t type;
    std::unique_ptr<EventForward> forward;
    std::unique_ptr<EventGradient> gradient;
    std::atomic<uint64_t> dense_calls{0}, event_calls{0};
};

EventConvolution* event_convolution(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type) {
    if (!served(pass, shape)) return nullptr;
    static std::mutex mutex;
    static auto& plans = *new std::map<std::tuple<ConvolutionPass, cudnnDataType_t, ConvolutionShape>, std::unique_ptr<EventConvolution>>();
    std::lock_guard<std::mutex> lock(mutex);
    std::unique_ptr<EventConvolution>& found = plans[{pass, type, shape}];
    if (!found) found = std::make_unique<EventConvolution>(pass, shape, type);
    return found.get();
}

size_t event_workspace(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type) {
    EventConvolution* planned = event_convolution(pass, shape, type);
    return planned == nullptr ? 0 : planned->workspace();
}

bool run_where_sparse(EventConvolution& planned, const ConvolutionCall& call) {
    Choice choice = forced();
    bool sparse = choice == Choice::Event ||
                  (choice == Choice::Measured && density(call.shape, call.type, call.x) <= densest_event(call.pass, call.shape, call.type));
    ++(sparse ? planned.event_calls : planned.dense_calls);
    if (!sparse) return false;
    if (planned.forward)
        planned.forward->run(call);
    else
        planned.gradient->run(call);
    return true;
}

}  // namespace sltt_cpu

// Which way convolutions go from now on: "auto", "dense" or "event"; 0, or -1 for another word. For tests and measurements.
SLTT_API int sltt_cpu_choose_convolution(const char* way) {
    using namespace sltt_cpu;
    if (way == nullptr) return -1;
    if (strcmp(way, "auto") == 0)
        forced() = Choice::Measured;
    else if (strcmp(way, "dense") == 0)
        forced() = Choice::Dense;
    else if (strcmp(way, "event") == 0)
        forced() = Choice::Event;
    else
        return -1;
    return 0;
}
