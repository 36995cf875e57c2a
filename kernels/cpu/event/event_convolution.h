// Event-driven convolution: the forward pass and the weight gradient add only the terms of inputs that fired.
//
// A spike is 1 or 0. So y is a sum of filter rows, and the filter's gradient a sum of rows of dy: there is no multiplication,
// and no work for an input that is silent. Inputs with other values than 0 and 1 (event counts, dropout) cost a multiplication.
//
// Both results equal the dense convolution's up to the order of the sum, with one exception: a silent input contributes nothing
// even where its weight is infinite or NaN. docs/internals/cpu.md has the idea, its floor and the measurements.
#pragma once

#include <string>

#include "convolution.h"

namespace sltt_cpu {

class EventConvolution;

// The plan of a pass; null where the pass has no event-driven way. Plans are made at the first call and live as long as the process.
EventConvolution* event_convolution(ConvolutionPass pass, const ConvolutionShape& shape, Number type, LoopTarget target);

// Bytes of workspace of the plan; 0 for null.
size_t event_workspace(const EventConvolution* plan);

// Runs the call.
void run_events(EventConvolution& plan, const ConvolutionCall& call);

// Runs the call if at most the share `densest` of x's numbers is not zero; else changes nothing and returns false.
// 0 means never, infinity means always; neither counts anything.
bool run_where_sparse(EventConvolution& plan, const ConvolutionCall& call, double densest);

// What run_where_sparse() decided since the last reset, as a JSON array. sltt_cpu_convolutions() describes it.
std::string event_counts_as_json(bool reset);

}  // namespace sltt_cpu
