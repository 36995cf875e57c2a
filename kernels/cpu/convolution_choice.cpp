#include "convolution_choice.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <tuple>

#include "convolution_setting.h"
#include "dnn_numbers.h"
#include "dnn_onednn.h"
#include "event_convolution.h"
#include "event_costs.h"
#include "winograd.h"

namespace sltt_cpu {
namespace {

constexpr double LEAST_FLOPS = 20e6;      // of a call: what computes less takes no time worth a measurement
constexpr double MEASURED_FLOPS = 2.5e9;  // of a call that is timed: some milliseconds, and images enough for what is done once a batch
constexpr double SPARSE = 0.1, DENSE = 0.4;  // densities at which the event-driven way is timed; its time is nearly linear in between
constexpr double WORTH = 0.9;             // of the other way's time: what another one must take at most to be chosen
constexpr int ROUNDS = 5;

// A choice does not depend on the number of images, nor on threads, so that neither do the bits.
using Key = std::tuple<ConvolutionPass, cudnnDataType_t, ConvolutionShape, int>;
Key key_of(ConvolutionPass pass, ConvolutionShape shape, cudnnDataType_t type) {
    shape.n = 0;
    return {pass, type, shape, convolution_setting().level};
}
std::mutex mutex;
std::map<Key, ConvolutionChoice>& in_force() {
    static auto& choices = *new std::map<Key, ConvolutionChoice>();
    return choices;
}

bool winograd_is_possible(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type) { return winograd(pass, shape, type) != nullptr; }

// By the tables and rules of event_costs.h and winograd.cpp.
ConvolutionChoice estimate(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type) {
    constexpr double WINOGRAD_TIME = 0.4;  // of the direct way's
    bool by_winograd = winograd_is_possible(pass, shape, type) && winograd_is_faster(pass, shape);
    double densest = event_convolution(pass, shape, type) == nullptr ? 0 : densest_event(pass, shape, convolution_setting().level, computes_natively(pass, shape, type));
    return {by_winograd, by_winograd ? WINOGRAD_TIME * densest : densest};
}

// Memory of a measurement: the arrays of a call and its workspace. Straight from the system, so that it goes back there.
struct Memory {
    explicit Memory(size_t size) : bytes(size + 1), data(static_cast<char*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
        if (data == MAP_FAILED) throw std::bad_alloc();
    }
    ~Memory() { munmap(data, bytes); }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    const size_t bytes;
    char* const data;
};

// `count` numbers of the type, 1 with this probability, else 0: always the same ones.
void fill(void* to, cudnnDataType_t type, size_t count, double density) {
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

ConvolutionChoice convolution_choice(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type) {
    constexpr double ALWAYS = std::numeric_limits<double>::infinity();
    ConvolutionWay way = convolution_setting().way;
    if (way == ConvolutionWay::Dense) return {false, 0};
    if (way == ConvolutionWay::Winograd) return {winograd_is_possible(pass, shape, type), 0};
    if (way == ConvolutionWay::Auto) {
        std::lock_guard<std::mutex> lock(mutex);
        auto found = in_force().find(key_of(pass, shape, type));
        if (found != in_force().end()) return found->second;
    }
    ConvolutionChoice choice = estimate(pass, shape, type);
    if (way == ConvolutionWay::Event) choice.densest_event = ALWAYS;
    return choice;
}

void put_in_force(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type, const ConvolutionChoice& choice) {
    ConvolutionChoice possible = choice;
    possible.winograd = choice.winograd && winograd_is_possible(pass, shape, type);
    std::lock_guard<std::mutex> lock(mutex);
    in_force()[key_of(pass, shape, type)] = possible;
}

std::optional<ConvolutionChoice> measure_convolution(ConvolutionPass pass, const ConvolutionShape& whole, cudnnDataType_t type) {
    if (convolution_setting().way != ConvolutionWay::Auto || whole.flops() < LEAST_FLOPS) return std::nullopt;
    ConvolutionShape shape = whole;
    shape.n = std::clamp((int)std::ceil(MEASURED_FLOPS / (whole.flops() / whole.n)), 1, whole.n);
    bool by_winograd = winograd_is_possible(pass, shape, type);
    EventConvolution* events = std::min(shape.c, shape.k) >= FEWEST_CHANNELS ? event_convolution(pass, shape, type) : nullptr;
    if (!by_winograd && events == nullptr) return std::nullopt;

    size_t item = element_size(type), x_count = shape.n * shape.x_image(), y_count = shape.n * shape.y_image();
    Memory x(x_count * item), sparse(events != nullptr ? x_count * item : 0), dense(events != nullptr ? x_count * item : 0), filter(shape.filter_count() * item), y(y_count * item),
        workspace(convolution_workspace(pass, shape, type));
    fill(x.data, type, x_count, 1);
    fill(filter.data, type, shape.filter_count(), 1);
    fill(y.data, type, y_count, 1);
    ConvolutionCall call{pass, shape, type, 1, 0, x.data, filter.data, y.data, workspace.data};
    PlannedThreads threads;
    struct Way {
        std::function<void()> work;
        double best = std::numeric_limits<double>::infinity();
    };
    Way direct{dense_convolution(call, false)}, winograd, few, many;
    if (by_winograd) winograd.work = dense_convolution(call, true);
    if (events != nullptr) {
        fill(sparse.data, type, x_count, SPARSE);
        fill(dense.data, type, x_count, DENSE);
        ConvolutionCall few_fire = call, many_fire = call;
        few_fire.x = sparse.data;
        many_fire.x = dense.data;
        few.work = [events, few_fire] { run_events(*events, few_fire); };
        many.work = [events, many_fire] { run_events(*events, many_fire); };
    }
    for (int round = -1; round < ROUNDS; ++round)  // by turns, as the machine may do other work; the first round warms up
        for (Way* way : {&direct, &winograd, &few, &many})
            if (way->work) {
                double time = seconds(way->work);
                if (round >= 0) way->best = std::min(way->best, time);
            }

    ConvolutionChoice choice{winograd.best < WORTH * direct.best, 0};
    if (events != nullptr) {
        double slope = (many.best - few.best) / (DENSE - SPARSE), idle = few.best - SPARSE * slope;
        double most = WORTH * (choice.winograd ? winograd.best : direct.best);
        double densest = slope > 0 ? (most - idle) / slope : many.best < most ? 1 : 0;
        choice.densest_event = std::floor(std::clamp(densest, 0.0, 1.0) * 100) / 100;
    }
    return choice;
}

}  // namespace sltt_cpu

namespace {
using namespace sltt_cpu;

// A question of the host's about one pass of a convolution, by cuDNN's descriptors.
int answer_about(int pass, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y,
                 const std::function<bool(ConvolutionPass, const ConvolutionShape&, cudnnDataType_t)>& f) {
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

// Measures which way a pass (0 forward, 1 backward data, 2 backward filter) is fastest here; convolution_choice.h says what the two answers mean. 1: it
// was measured, 0: there is nothing to choose, -1: the descriptors are wrong. Nothing is put in force.
SLTT_API int sltt_cpu_measure_convolution(int pass, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t convolution,
                                          cudnnTensorDescriptor_t y, int* winograd, double* densest_event) {
    return answer_about(pass, x, w, convolution, y, [&](ConvolutionPass p, const ConvolutionShape& shape, cudnnDataType_t type) {
        std::optional<ConvolutionChoice> choice = measure_convolution(p, shape, type);
        if (!choice) return false;
        *winograd = choice->winograd;
        *densest_event = choice->densest_event;
        return true;
    });
}

// Puts a choice in force, for calls that are made or captured from now on. 1, or -1 where the descriptors are wrong.
SLTT_API int sltt_cpu_set_convolution(int pass, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t convolution,
                                      cudnnTensorDescriptor_t y, int winograd, double densest_event) {
    return answer_about(pass, x, w, convolution, y, [&](ConvolutionPass p, const ConvolutionShape& shape, cudnnDataType_t type) {
        put_in_force(p, shape, type, {winograd != 0, densest_event});
        return true;
    });
}
