#include "dnn/convolution_choice.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <tuple>

#include "dnn/convolution_shape.h"
#include "dnn/dense_convolution.h"
#include "dnn/onednn.h"
#include "event/event_convolution.h"
#include "event/event_costs.h"
#include "runtime/report.h"
#include "winograd/winograd.h"

namespace sltt_cpu {
namespace {

constexpr double MIN_FLOPS = 20e6;        // of a call that is measured; a smaller one takes too little time to matter
constexpr double MEASURED_FLOPS = 2.5e9;  // of a timed call: some milliseconds, with images enough to amortise the work for each batch
constexpr double SPARSE = 0.1, DENSE = 0.4;  // densities at which the event-driven way is timed; its time is nearly linear in between
constexpr double CLEARLY_FASTER = 0.9;    // of the other way's time: a way is chosen only below it
constexpr int ROUNDS = 5;

using Key = std::tuple<ConvolutionPass, Number, ConvolutionShape, int>;
Key key_of(ConvolutionPass pass, ConvolutionShape shape, Number type) {
    shape.n = 0;
    return {pass, type, shape, convolution_setting().loops.level};
}
std::mutex mutex;
std::map<Key, ConvolutionChoice>& choices() {
    static auto& map = *new std::map<Key, ConvolutionChoice>();
    return map;
}

const Winograd* winograd_plan(ConvolutionPass pass, const ConvolutionShape& shape, Number type) {
    return winograd(pass, shape, type, convolution_setting().loops);
}
EventConvolution* event_plan(ConvolutionPass pass, const ConvolutionShape& shape, Number type) {
    return event_convolution(pass, shape, type, convolution_setting().loops);
}

std::function<void()> winograd_work(const ConvolutionCall& call) {
    const Winograd* plan = winograd_plan(call.pass, call.shape, call.type);
    return [plan, call] { plan->run(call); };
}

// By the tables and rules of event_costs.h and winograd.cpp.
ConvolutionChoice estimate(ConvolutionPass pass, const ConvolutionShape& shape, Number type) {
    constexpr double WINOGRAD_TIME = 0.4;  // of the direct way's
    int level = convolution_setting().loops.level;
    bool by_winograd = winograd_plan(pass, shape, type) != nullptr && winograd_is_faster(pass, shape, level);
    bool by_events = event_plan(pass, shape, type) != nullptr;
    double densest = by_events ? densest_event(pass, shape, level, computes_natively(pass, shape, type)) : 0;
    return {by_winograd, by_winograd ? WINOGRAD_TIME * densest : densest};
}

// Memory of a measurement, mapped and unmapped here so that none of it stays with the allocator.
struct Memory {
    explicit Memory(size_t size) : bytes(size + 1), data(map(bytes)) {}
    ~Memory() { munmap(data, bytes); }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    static char* map(size_t bytes) {
        void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        return static_cast<char*>(memory);
    }
    const size_t bytes;
    char* const data;
};

// `count` numbers, 1 with this probability, else 0: always the same ones.
void fill(void* to, Number type, size_t count, double density) {
    float block[1024];
    uint64_t state = 1;
    for (size_t i = 0; i < count; i += 1024) {
        size_t numbers = std::min<size_t>(1024, count - i);
        for (size_t j = 0; j < numbers; ++j) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            block[j] = (double)(state >> 40) < density * (1 << 24) ? 1.0f : 0.0f;
        }
        blend(element(to, type, i), type, block, 1, 0, numbers);
    }
}

double seconds(const std::function<void()>& work) {
    auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

ConvolutionChoice convolution_choice(ConvolutionPass pass, const ConvolutionShape& shape, Number type) {
    constexpr double ALWAYS = std::numeric_limits<double>::infinity();
    ConvolutionWay way = convolution_setting().way;
    if (way == ConvolutionWay::Dense) return {false, 0};
    if (way == ConvolutionWay::Winograd) return {winograd_plan(pass, shape, type) != nullptr, 0};
    if (way == ConvolutionWay::Auto || way == ConvolutionWay::Measure) {
        std::lock_guard<std::mutex> lock(mutex);
        auto found = choices().find(key_of(pass, shape, type));
        if (found != choices().end()) return found->second;
    }
    ConvolutionChoice choice = estimate(pass, shape, type);
    if (way == ConvolutionWay::Event) choice.densest_event = ALWAYS;
    return choice;
}

void set_convolution_choice(ConvolutionPass pass, const ConvolutionShape& shape, Number type, std::optional<ConvolutionChoice> choice) {
    if (choice && winograd_plan(pass, shape, type) == nullptr) choice->winograd = false;
    std::lock_guard<std::mutex> lock(mutex);
    if (choice)
        choices()[key_of(pass, shape, type)] = *choice;
    else
        choices().erase(key_of(pass, shape, type));
}

std::optional<ConvolutionChoice> measure_convolution(ConvolutionPass pass, const ConvolutionShape& whole, Number type) {
    if (convolution_setting().way != ConvolutionWay::Measure || whole.flops() < MIN_FLOPS) return std::nullopt;
    ConvolutionShape shape = whole;
    shape.n = std::clamp((int)std::ceil(MEASURED_FLOPS / (whole.flops() / whole.n)), 1, whole.n);
    bool by_winograd = winograd_plan(pass, shape, type) != nullptr;
    EventConvolution* events = std::min(shape.c, shape.k) >= MIN_EVENT_CHANNELS ? event_plan(pass, shape, type) : nullptr;
    if (!by_winograd && events == nullptr) return std::nullopt;

    size_t item = bytes_of(type), x_count = shape.n * shape.x_image(), y_count = shape.n * shape.y_image();
    size_t event_bytes = events != nullptr ? x_count * item : 0;
    Memory x(x_count * item), sparse(event_bytes), dense(event_bytes), filter(shape.filter_count() * item), y(y_count * item);
    Memory workspace(convolution_workspace(pass, shape, type));
    fill(x.data, type, x_count, 1);
    fill(filter.data, type, shape.filter_count(), 1);
    fill(y.data, type, y_count, 1);
    ConvolutionCall call{pass, shape, type, 1, 0, x.data, filter.data, y.data, workspace.data};
    int threads = convolution_setting().loops.threads;
    OpenMpThreads planned(threads);
    struct Way {
        std::function<void()> work;
        double best = std::numeric_limits<double>::infinity();
    };
    Way direct{dense_convolution(call, threads)}, winograd, sparse_events, dense_events;
    if (by_winograd) winograd.work = winograd_work(call);
    if (events != nullptr) {
        fill(sparse.data, type, x_count, SPARSE);
        fill(dense.data, type, x_count, DENSE);
        ConvolutionCall sparse_call = call, dense_call = call;
        sparse_call.x = sparse.data;
        dense_call.x = dense.data;
        sparse_events.work = [events, sparse_call] { run_events(*events, sparse_call); };
        dense_events.work = [events, dense_call] { run_events(*events, dense_call); };
    }
    for (int round = -1; round < ROUNDS; ++round)  // by turns, as the machine may do other work; round -1 warms up
        for (Way* way : {&direct, &winograd, &sparse_events, &dense_events})
            if (way->work) {
                double time = seconds(way->work);
                if (round >= 0) way->best = std::min(way->best, time);
            }

    ConvolutionChoice choice{winograd.best < CLEARLY_FASTER * direct.best, 0};
    if (events != nullptr) {
        // The line through the two event-driven times; the choice is the density at which it meets the limit.
        double slope = (dense_events.best - sparse_events.best) / (DENSE - SPARSE), at_zero = sparse_events.best - SPARSE * slope;
        double limit = CLEARLY_FASTER * (choice.winograd ? winograd.best : direct.best);
        double densest = slope > 0 ? (limit - at_zero) / slope : dense_events.best < limit ? 1 : 0;
        choice.densest_event = std::floor(std::clamp(densest, 0.0, 1.0) * 100) / 100;
    }
    return choice;
}

size_t convolution_workspace(ConvolutionPass pass, const ConvolutionShape& shape, Number type) {
    size_t bytes = std::max(event_workspace(event_plan(pass, shape, type)), dense_workspace(pass, shape, type));
    if (convolution_setting().way != ConvolutionWay::Dense)
        if (const Winograd* plan = winograd_plan(pass, shape, type)) bytes = std::max(bytes, plan->workspace());
    return bytes;
}

std::function<void()> convolution_work(const ConvolutionCall& call) {
    ConvolutionChoice choice = convolution_choice(call.pass, call.shape, call.type);
    std::function<void()> dense = choice.winograd ? winograd_work(call) : dense_convolution(call, convolution_setting().loops.threads);
    EventConvolution* events = event_plan(call.pass, call.shape, call.type);
    if (events == nullptr) return dense;
    return [events, call, choice, dense] {
        if (!run_where_sparse(*events, call, choice.densest_event)) dense();
    };
}

}  // namespace sltt_cpu

namespace {
using namespace sltt_cpu;

// Answers the host's question about one pass of a convolution, which it describes by cuDNN's descriptors.
int answer_about(int pass, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t convolution,
                 cudnnTensorDescriptor_t y, const std::function<bool(ConvolutionPass, const ConvolutionShape&, Number)>& f) {
    if (pass < 0 || pass > 2) return -1;
    try {
        ConvolutionShape shape = convolution_shape(x, w, convolution, y);
        return f(static_cast<ConvolutionPass>(pass), shape, x->type) ? 1 : 0;
    } catch (const std::exception& e) {
        report(std::string("convolution choice: ") + e.what());
        return -1;
    } catch (...) {
        return -1;  // the descriptors are no convolution
    }
}
}  // namespace

// Measures which way a pass (0 forward, 1 backward data, 2 backward filter) is fastest here. convolution_choice.h says what the two
// answers mean. Returns 1: measured; 0: there is nothing to choose, or SLTT_CPU_CONV does not ask for it;
// -1: the descriptors are wrong. Sets no choice.
SLTT_API int sltt_cpu_measure_convolution(int pass, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
                                          cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y, int* winograd,
                                          double* densest_event) {
    return answer_about(pass, x, w, convolution, y, [&](ConvolutionPass p, const ConvolutionShape& shape, Number type) {
        std::optional<ConvolutionChoice> choice = measure_convolution(p, shape, type);
        if (!choice) return false;
        *winograd = choice->winograd;
        *densest_event = choice->densest_event;
        return true;
    });
}

// Sets a choice, for calls that are made or captured from now on; `winograd` below 0 sets none: the estimate holds. Returns 1, or -1
// where the descriptors are wrong.
SLTT_API int sltt_cpu_set_convolution(int pass, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
                                      cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y, int winograd,
                                      double densest_event) {
    return answer_about(pass, x, w, convolution, y, [&](ConvolutionPass p, const ConvolutionShape& shape, Number type) {
        std::optional<ConvolutionChoice> choice;
        if (winograd >= 0) choice = ConvolutionChoice{winograd > 0, densest_event};
        set_convolution_choice(p, shape, type, choice);
        return true;
    });
}

// What was decided for each pass and shape that has an event-driven way, since the last reset: a JSON array of objects with
//   pass, type, x (n, h, w, c), filter (k, r, s, c), stride,
//   fired (mean share of x's numbers that are not zero, over the calls that counted them; null where none did),
//   event and dense (calls that went each way).
// Writes the text with a final 0 if it fits `bytes`, and returns how many bytes it takes. Resets only where the text fits.
SLTT_API size_t sltt_cpu_convolutions(char* json, size_t bytes, int reset) {
    std::string text = event_counts_as_json(false);
    if (json == nullptr || bytes <= text.size()) return text.size() + 1;
    memcpy(json, text.c_str(), text.size() + 1);
    if (reset != 0) event_counts_as_json(true);
    return text.size() + 1;
}
