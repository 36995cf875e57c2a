// How convolutions are computed: each pass the way that is fastest, as estimated or as measured, or one way wherever it applies.
#pragma once

#include "convolution.h"

namespace sltt_cpu {

// Auto: as estimated. Measure: the host may measure a pass before it plans it. Choices that the host sets come first in both.
enum class ConvolutionWay { Auto, Measure, Dense, Event, Winograd };

struct ConvolutionSetting {
    ConvolutionWay way;
    LoopTarget loops;  // of event/ and winograd/
};

// SLTT_CPU_CONV and the machine decide, until sltt_cpu_choose_convolution() does.
ConvolutionSetting convolution_setting();

}  // namespace sltt_cpu
