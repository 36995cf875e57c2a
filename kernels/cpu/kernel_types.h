// The name of RunState, for the list of signatures (kernel_list.cpp). Included by kernels_tu.cpp inside its anonymous namespace,
// between the type and the first kernel.
#pragma once

namespace sltt {

static constexpr const char* type_name(const RunState*) { return "RunState"; }

}  // namespace sltt
