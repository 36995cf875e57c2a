#include "dnn/convolution_setting.h"

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

#include "runtime/execution.h"
#include "runtime/launch.h"
#include "runtime/report.h"

namespace sltt_cpu {
namespace {

bool parse(const char* text, ConvolutionWay* way) {
    constexpr struct {
        const char* name;
        ConvolutionWay way;
    } WAYS[] = {{"auto", ConvolutionWay::Auto},   {"estimate", ConvolutionWay::Auto}, {"measure", ConvolutionWay::Measure},
                {"dense", ConvolutionWay::Dense}, {"event", ConvolutionWay::Event},   {"winograd", ConvolutionWay::Winograd}};
    for (const auto& known : WAYS)
        if (strcmp(text, known.name) == 0) {
            *way = known.way;
            return true;
        }
    return false;
}

int machine_level() { return instruction_set()[1] - '0'; }

ConvolutionSetting from_environment() {
    ConvolutionSetting setting{ConvolutionWay::Auto, {machine_level(), thread_count()}};
    const char* text = getenv("SLTT_CPU_CONV");
    if (text != nullptr && *text != 0 && !parse(text, &setting.way))
        report(std::string("SLTT_CPU_CONV is '") + text + "', not auto, measure, dense, event or winograd; ignored");
    return setting;
}

std::mutex mutex;
ConvolutionSetting& current() {
    static ConvolutionSetting setting = from_environment();
    return setting;
}

}  // namespace

ConvolutionSetting convolution_setting() {
    std::lock_guard<std::mutex> lock(mutex);
    return current();
}

}  // namespace sltt_cpu

// Sets how convolutions are computed from now on, for tests and measurements. `way` is "auto" (or "estimate"), "measure", "dense",
// "event" or "winograd". `level` is the instruction set of the event-driven and Winograd loops, "v2", "v3" or "v4"; null means the one
// in use. `threads` is the number for convolutions; 0 means as many as other work has. Returns 0, or -1 where this cannot be.
SLTT_API int sltt_cpu_choose_convolution(const char* way, const char* level, int threads) {
    using namespace sltt_cpu;
    ConvolutionSetting setting{ConvolutionWay::Auto, {machine_level(), threads > 0 ? threads : thread_count()}};
    if (way == nullptr || !parse(way, &setting.way) || threads < 0) return -1;
    if (level != nullptr) {
        if (strcmp(level, "v2") != 0 && strcmp(level, "v3") != 0 && strcmp(level, "v4") != 0) return -1;
        if (level[1] - '0' > setting.loops.level) return -1;
        setting.loops.level = level[1] - '0';
    }
    std::lock_guard<std::mutex> lock(mutex);
    current() = setting;
    return 0;
}
