// Which way a pass of a convolution goes: directly, by Winograd's algorithm, or event-driven where x is sparse.
//
// A choice is for a pass, shape and type. It does not depend on the number of images or threads, so that neither do the bits.
// The host measures each machine, stores the choices, and sets them before a run (src/SlttEngine/Device/ConvolutionChoices.cs), so that
// the same run makes the same choices. Without choices set, estimates from another machine's measurements hold.
#pragma once

#include <functional>
#include <optional>

#include "dnn/convolution_setting.h"

namespace sltt_cpu {

struct ConvolutionChoice {
    bool winograd;         // for dense inputs: by Winograd's algorithm, not directly
    double densest_event;  // event-driven where at most this share of x's numbers is not zero; 0: never, infinite: always
};

// The choice that holds: SLTT_CPU_CONV's, else the one that was set, else the estimate.
ConvolutionChoice convolution_choice(ConvolutionPass pass, const ConvolutionShape& shape, Number type);
void set_convolution_choice(ConvolutionPass pass, const ConvolutionShape& shape, Number type, const ConvolutionChoice& choice);

// Times all ways, in memory that it allocates and on some of the images. Nothing where only one way applies, where the call computes
// so little that the choice does not matter, and where SLTT_CPU_CONV decides.
std::optional<ConvolutionChoice> measure_convolution(ConvolutionPass pass, const ConvolutionShape& shape, Number type);

// Bytes of workspace that suffice for any way, alpha and beta: a plan made before a choice was measured holds after it.
size_t convolution_workspace(ConvolutionPass pass, const ConvolutionShape& shape, Number type);

// The call as work for a stream, the way that its choice says. All primitives exist when this returns. Throws dnnl::error.
std::function<void()> convolution_work(const ConvolutionCall& call);

}  // namespace sltt_cpu
