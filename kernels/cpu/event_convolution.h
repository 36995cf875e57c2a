// Event-driven convolution: forward and weight gradient compute only what fired.
//
// A spike is 1 or nothing, so y is a sum of filter rows and the filter's gradient a sum of gradient rows: no multiplication, and no
// work for what is silent. Both equal the dense convolution up to the order of the sum; what is silent contributes nothing even where
// the number beside it is not finite. Inputs with other values than 0 and 1 (event counts, dropout) cost a multiplication.
// docs/cpu.md: the idea, its floor and what was measured.
#pragma once

#include "dnn_convolution_plan.h"

namespace sltt_cpu {

// Bytes of workspace that an event-driven pass takes; 0 where the pass and shape have none.
size_t event_workspace(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type);

// A pass of the shape, planned; null where it has none.
class EventConvolution;
EventConvolution* event_convolution(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type);

// Runs the call.
void run_events(EventConvolution& planned, const ConvolutionCall& call);

// Runs the call if at most this share of x's numbers is not zero; else returns false, having changed nothing. 0: never, infinite: always, without
// counting.
bool run_where_sparse(EventConvolution& planned, const ConvolutionCall& call, double densest);

}  // namespace sltt_cpu
