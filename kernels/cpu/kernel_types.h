// RunState's name for the list of signatures (kernel_list.cpp). The kernels_tu.cpp include this file inside their anonymous namespace,
// between RunState and the first kernel.
#pragma once

namespace sltt {
static constexpr const char* type_name(const RunState*) { return "RunState"; }
}  // namespace sltt
