// How convolutions are done: left to the device (each pass the way that is fastest, as measured or only as estimated), or one way wherever it is
// possible.
#pragma once

namespace sltt_cpu {

enum class ConvolutionWay { Auto, Estimate, Dense, Event, Winograd };

struct ConvolutionSetting {
    ConvolutionWay way;
    int level;    // of the own kernels' instruction set: 2, 3 or 4
    int threads;  // of the own kernels
};

// SLTT_CPU_CONV and the machine decide, until sltt_cpu_choose_convolution does.
ConvolutionSetting convolution_setting();

}  // namespace sltt_cpu
