#include "event_convolution.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
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

namespace {

const EventKernels& kernels_of(const char* level) { return level[1] == '4' ? event_kernels_v4 : level[1] == '3' ? event_kernels_v3 : event_kernels_v2; }
int level_of(const EventKernels& kernels) { return &kernels == &event_kernels_v4 ? 4 : &kernels == &event_kernels_v3 ? 3 : 2; }

enum class Choice { Measured, Dense, Event };

bool parse(const char* text, Choice* choice) {
    if (strcmp(text, "auto") == 0)
        *choice = Choice::Measured;
    else if (strcmp(text, "dense") == 0)
        *choice = Choice::Dense;
    else if (strcmp(text, "event") == 0)
        *choice = Choice::Event;
    else
        return false;
    return true;
}

// How convolutions are done from now on: which way, and where event-driven by which kernels and how many threads.
struct Setting {
    Choice choice = Choice::Measured;
    const EventKernels* kernels = &kernels_of(instruction_set());
    int threads = thread_count();

    Setting() {
        const char* set = getenv("SLTT_CPU_CONV");
        if (set != nullptr && *set != 0 && !parse(set, &choice)) report(std::string("SLTT_CPU_CONV is '") + set + "', not auto, dense or event; ignored");
    }
};

std::mutex mutex;  // of the setting and the plans
Setting& setting() {
    static Setting setting;
    return setting;
}

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
    EventConvolution(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type, const Setting& setting)
        : pass(pass), shape(shape), type(type), kernels(*setting.kernels), threads(setting.threads) {
        if (pass == ConvolutionPass::Forward)
            forward = std::make_unique<EventForward>(shape, type, kernels, threads);
        else
            gradient = std::make_unique<EventGradient>(shape, type, kernels, threads);
    }
    size_t workspace() const { return forward ? forward->workspace() : gradient->workspace(); }

    const ConvolutionPass pass;
    const ConvolutionShape shape;
    const cudnnDataType_t type;
    const EventKernels& kernels;
    const int threads;
    std::unique_ptr<EventForward> forward;
    std::unique_ptr<EventGradient> gradient;
    // Calls since they were last asked for, and the densities that the choice went by; under `mutex`.
    uint64_t dense_calls = 0, event_calls = 0, looked_at = 0;
    double densities = 0;
};

namespace {
using Key = std::tuple<ConvolutionPass, cudnnDataType_t, ConvolutionShape, const EventKernels*, int>;
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
        char line[384];
        snprintf(line, sizeof line,
                 "%s{\"pass\":\"%s\",\"type\":\"%s\",\"x\":[%d,%d,%d,%d],\"filter\":[%d,%d,%d,%d],\"stride\":[%d,%d],\"fired\":%.4f,\"event\":%llu,\"dense\":%llu}",
                 out.size() > 1 ? "," : "", e.pass == ConvolutionPass::Forward ? "forward" : "backward filter",
                 e.type == CUDNN_DATA_FLOAT ? "float32" : e.type == CUDNN_DATA_HALF ? "float16" : "bfloat16", s.n, s.h, s.w, s.c, s.k, s.r, s.s, s.c, s.stride_h,
                 s.stride_w, e.looked_at == 0 ? 0 : e.densities / (double)e.looked_at, (unsigned long long)e.event_calls, (unsigned long long)e.dense_calls);
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
    std::lock_guard<std::mutex> lock(mutex);
    const Setting& now = setting();
    std::unique_ptr<EventConvolution>& found = plans()[{pass, type, shape, now.kernels, now.threads}];
    if (!found) found = std::make_unique<EventConvolution>(pass, shape, type, now);
    return found.get();
}

size_t event_workspace(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type) {
    EventConvolution* planned = event_convolution(pass, shape, type);
    return planned == nullptr ? 0 : planned->workspace();
}

bool run_where_sparse(EventConvolution& planned, const ConvolutionCall& call, bool native) {
    Choice choice;
    {
        std::lock_guard<std::mutex> lock(mutex);
        choice = setting().choice;
    }
    bool looks = choice == Choice::Measured;
    double fired = 0;
    if (looks) {
        double densest = densest_event(call.pass, call.shape, level_of(planned.kernels), native);
        if (densest > 0) fired = density(call.shape, call.type, call.x, planned.kernels, planned.threads);
        looks = densest > 0;
        choice = looks && fired <= densest ? Choice::Event : Choice::Dense;
    }
    {
        std::lock_guard<std::mutex> lock(mutex);
        ++(choice == Choice::Event ? planned.event_calls : planned.dense_calls);
        planned.looked_at += looks;
        planned.densities += fired;
    }
    if (choice == Choice::Dense) return false;
    if (planned.forward)
        planned.forward->run(call);
    else
        planned.gradient->run(call);
    return true;
}

}  // namespace sltt_cpu

// How convolutions are done from now on: `way` "auto", "dense" or "event"; event-driven ones with an instruction set ("v2", "v3", "v4"; null: the
// one in use) and a number of threads (0: as all work). For tests and measurements. 0, or -1 where that can't be.
SLTT_API int sltt_cpu_choose_convolution(const char* way, const char* level, int threads) {
    using namespace sltt_cpu;
    Setting wanted;
    if (way == nullptr || !parse(way, &wanted.choice) || threads < 0) return -1;
    if (level != nullptr) {
        if (strcmp(level, "v2") != 0 && strcmp(level, "v3") != 0 && strcmp(level, "v4") != 0) return -1;
        if (level[1] > instruction_set()[1]) return -1;
        wanted.kernels = &kernels_of(level);
    }
    if (threads > 0) wanted.threads = threads;
    std::lock_guard<std::mutex> lock(mutex);
    setting() = wanted;
    return 0;
}

// What was chosen since it was last reset, as a JSON array with an object for each pass of each shape that can go either way: pass, type, x (n, h, w, c),
// filter (k, r, s, c), stride, fired (mean share of x's numbers that are not zero, of the calls that looked; 0: none did), event and dense (calls).
// Writes up to `bytes` bytes with a final 0 and returns how many it takes; nothing is reset where they are too few.
SLTT_API size_t sltt_cpu_convolutions(char* json, size_t bytes, int reset) {
    using namespace sltt_cpu;
    std::string text = counts_as_json(false);
    if (json == nullptr || bytes <= text.size()) return text.size() + 1;
    memcpy(json, text.c_str(), text.size() + 1);
    if (reset != 0) counts_as_json(true);
    return text.size() + 1;
}
