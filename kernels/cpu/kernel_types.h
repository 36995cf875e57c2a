// RunState's name in the list of signatures (kernel_list.cpp). A kernels_tu.cpp includes it inside its anonymous namespace, behind the type
// and before the first kernel.
#pragma once

namespace sltt {

static constexpr const char* type_name(const RunState*) { return "RunState"; }

}  // namespace sltt
