// Driver API: graphs. A graph is the list of commands that a capture recorded. Its launch runs them in that order.
#include <exception>
#include <string>

#include "runtime/objects.h"
#include "runtime/report.h"
#include "runtime/stream.h"

using namespace sltt_cpu;

SLTT_API CUresult cuGraphDestroy(CUgraph handle) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    return graphs().remove(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

// `flags` are about uploads and device launches, which do not exist here.
SLTT_API CUresult cuGraphInstantiateWithFlags(CUgraphExec* handle, CUgraph graph_handle, unsigned long long) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    auto graph = graphs().find(graph_handle);
    if (!graph || handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *handle = graph_execs().add(std::make_shared<GraphExec>(GraphExec{graph->device, graph->commands}));
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuGraphExecDestroy(CUgraphExec handle) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    return graph_execs().remove(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

SLTT_API CUresult cuGraphLaunch(CUgraphExec handle, CUstream stream_handle) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(stream_handle, &stream);
    if (result != CUDA_SUCCESS) return result;
    auto exec = graph_execs().find(handle);
    if (!exec || exec->device != stream->device) return CUDA_ERROR_INVALID_VALUE;
    return enqueue_on(*stream, [commands = exec->commands] {
        const char* what = nullptr;
        try {
            for (const Command& c : *commands) {
                what = c.what;
                c.work();
            }
        } catch (const DeviceError& e) {
            throw DeviceError{e.result, std::string(what) + ": " + e.message};
        } catch (const std::exception& e) {
            throw DeviceError{CUDA_ERROR_LAUNCH_FAILED, std::string(what) + ": " + e.what()};
        }
    }, "cuGraphLaunch");
}
