// How convolutions are computed: each pass the way that is fastest, as measured or as estimated, or one way wherever it applies.
#pragma once

#include "convolution.h"

namespace sltt_cpu {

enum class ConvolutionWay { Auto, Estimate, Dense, Event, Winograd };

struct ConvolutionSetting {
    ConvolutionWay way;
    LoopTarget loops;  // of event/ and winograd/
};

// SLTT_CPU_CONV and the machine decide, until sltt_cpu_choose_convolution() does.
ConvolutionSetting convolution_setting();

}  // namespace sltt_cpu
