// Which way a pass of a convolution goes: measured on this machine, or estimated from what was measured on another.
//
// A choice is for a pass, shape and type, whatever the number of images and threads. The host measures once a machine, remembers, and puts in
// force (src/SlttEngine/Device/ConvolutionChoices.cs), so that the same run makes the same choices; without it the estimates hold.
#pragma once

#include <functional>
#include <optional>

#include "dnn_convolution_plan.h"

namespace sltt_cpu {

struct ConvolutionChoice {
    bool winograd;         // dense: by Winograd's algorithm, not directly
    double densest_event;  // event-driven where at most this share of x's numbers is not zero; 0: never, infinite: always
};

// The choice in force: SLTT_CPU_CONV's, else the one put in force, else the estimate.
ConvolutionChoice convolution_choice(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type);

// Measures all ways, on memory of its own and some images only; nothing where there is one way alone, where so little is computed that it doesn't
// matter, and where SLTT_CPU_CONV decides.
std::optional<ConvolutionChoice> measure_convolution(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type);

void put_in_force(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type, const ConvolutionChoice& choice);

}  // namespace sltt_cpu
