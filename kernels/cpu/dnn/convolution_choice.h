// Which way a pass of a convolution goes: directly, by Winograd's algorithm, or event-driven where x is sparse.
//
// The ways differ in a result's last bits, and times vary. So a choice is estimated from the call and the instruction set alone: the
// same run makes the same choices, whatever ran before it and on any number of threads. SLTT_CPU_CONV=measure times the ways instead.
// The host keeps what was measured in the run's folder (src/SlttEngine/Device/ConvolutionChoices.cs), and sets it when the run resumes.
#pragma once

#include <functional>
#include <optional>

#include "dnn/convolution_setting.h"

namespace sltt_cpu {

struct ConvolutionChoice {
    bool winograd;         // for dense inputs: by Winograd's algorithm, not directly
    double densest_event;  // event-driven where at most this share of x's numbers is not zero; 0: never, infinite: always
};

// The choice that holds: SLTT_CPU_CONV's way, else the one that was set for any number of images, else the estimate.
ConvolutionChoice convolution_choice(ConvolutionPass pass, const ConvolutionShape& shape, Number type);
// Nothing set means the estimate.
void set_convolution_choice(ConvolutionPass pass, const ConvolutionShape& shape, Number type, std::optional<ConvolutionChoice> choice);

// Times all ways, in memory that it allocates and on some of the images. Nothing without SLTT_CPU_CONV=measure, where only one way
// applies, and where the call computes so little that the choice does not matter.
std::optional<ConvolutionChoice> measure_convolution(ConvolutionPass pass, const ConvolutionShape& shape, Number type);

// Bytes of workspace that suffice for any way, alpha and beta: a plan made before a choice was measured holds after it.
size_t convolution_workspace(ConvolutionPass pass, const ConvolutionShape& shape, Number type);

// The call as work for a stream, the way that its choice says. All primitives exist when this returns. Throws dnnl::error.
std::function<void()> convolution_work(const ConvolutionCall& call);

}  // namespace sltt_cpu
