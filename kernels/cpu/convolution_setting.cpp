#include "convolution_setting.h"

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

#include "dnn_api.h"
#include "launch.h"
#include "stream.h"

namespace sltt_cpu {
namespace {

bool parse(const char* text, ConvolutionWay* way) {
    constexpr const char* NAMES[] = {"auto", "estimate", "dense", "event", "winograd"};
    for (int i = 0; i < 5; ++i)
        if (strcmp(text, NAMES[i]) == 0) {
            *way = static_cast<ConvolutionWay>(i);
            return true;
        }
    return false;
}

int machine_level() { return instruction_set()[1] - '0'; }

ConvolutionSetting of_environment() {
    ConvolutionSetting setting{ConvolutionWay::Auto, machine_level(), thread_count()};
    const char* set = getenv("SLTT_CPU_CONV");
    if (set != nullptr && *set != 0 && !parse(set, &setting.way)) report(std::string("SLTT_CPU_CONV is '") + set + "', not auto, estimate, dense, event or winograd; ignored");
    return setting;
}

std::mutex mutex;
ConvolutionSetting& current() {
    static ConvolutionSetting setting = of_environment();
    return setting;
}

}  // namespace

ConvolutionSetting convolution_setting() {
    std::lock_guard<std::mutex> lock(mutex);
    return current();
}

}  // namespace sltt_cpu

// How convolutions are done from now on: `way` "auto", "estimate", "dense", "event" or "winograd"; the own kernels with an instruction set ("v2", "v3", "v4";
// null: the one in use) and a number of threads (0: as all work). For tests and measurements. 0, or -1 where that can't be.
SLTT_API int sltt_cpu_choose_convolution(const char* way, const char* level, int threads) {
    using namespace sltt_cpu;
    ConvolutionSetting wanted{ConvolutionWay::Auto, machine_level(), threads > 0 ? threads : thread_count()};
    if (way == nullptr || !parse(way, &wanted.way) || threads < 0) return -1;
    if (level != nullptr) {
        if (strcmp(level, "v2") != 0 && strcmp(level, "v3") != 0 && strcmp(level, "v4") != 0) return -1;
        if (level[1] - '0' > wanted.level) return -1;
        wanted.level = level[1] - '0';
    }
    std::lock_guard<std::mutex> lock(mutex);
    current() = wanted;
    return 0;
}
