// Driver API: graphs. A graph is the list of commands that a capture recorded; its launch runs them in that order.
#include <cstddef>
#include <exception>
#include <string>

#include "memory.h"
#include "runtime.h"
#include "stream.h"

using namespace sltt_cpu;

namespace {

CUresult find_graph(CUgraph handle, std::shared_ptr<Graph>* graph) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    *graph = graphs().find(handle);
    return *graph ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult instantiate(CUgraphExec* handle, CUgraph graph_handle, unsigned long long flags) {
    std::shared_ptr<Graph> graph;
    CUresult result = find_graph(graph_handle, &graph);
    if (result != CUDA_SUCCESS) return result;
    if (handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    auto made = std::make_shared<GraphExec>();
    made->device = graph->device;
    made->commands = graph->commands;
    made->flags = flags;
    *handle = graph_execs().add(made);
    return CUDA_SUCCESS;
}

}  // namespace

SLTT_API CUresult cuGraphCreate(CUgraph* handle, unsigned flags) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    if (handle == nullptr || flags != 0) return CUDA_ERROR_INVALID_VALUE;
    auto graph = std::make_shared<Graph>();
    graph->device = current_context()->device;
    *handle = graphs().add(graph);
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuGraphDestroy(CUgraph handle) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    return graphs().remove(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

SLTT_API CUresult cuGraphClone(CUgraph* clone, CUgraph handle) {
    std::shared_ptr<Graph> graph;
    CUresult result = find_graph(handle, &graph);
    if (result != CUDA_SUCCESS) return result;
    if (clone == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *clone = graphs().add(std::make_shared<Graph>(*graph));
    return CUDA_SUCCESS;
}

// nodes null: *count becomes their number. Else at most *count are written, the rest null.
SLTT_API CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode* nodes, size_t* count) {
    std::shared_ptr<Graph> graph;
    CUresult result = find_graph(handle, &graph);
    if (result != CUDA_SUCCESS) return result;
    if (count == nullptr) return CUDA_ERROR_INVALID_VALUE;
    size_t n = graph->commands->size();
    if (nodes != nullptr)
        for (size_t i = 0; i < *count; ++i) nodes[i] = i < n ? reinterpret_cast<CUgraphNode>(&(*graph->commands)[i]) : nullptr;
    if (nodes == nullptr || *count > n) *count = n;
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuGraphInstantiateWithFlags(CUgraphExec* exec, CUgraph graph, unsigned long long flags) { return instantiate(exec, graph, flags); }

// The symbol has had two meanings: (exec, graph, error node, log, log size) up to CUDA 11, and the flags as third
// argument since. Nothing is written through the third, so both are served.
SLTT_API CUresult cuGraphInstantiate(CUgraphExec* exec, CUgraph graph, unsigned long long) { return instantiate(exec, graph, 0); }
SLTT_API CUresult cuGraphInstantiate_v2(CUgraphExec* exec, CUgraph graph, CUgraphNode* error_node, char* log, size_t log_size) {
    if (error_node != nullptr) *error_node = nullptr;
    if (log != nullptr && log_size > 0) *log = 0;
    return instantiate(exec, graph, 0);
}

SLTT_API CUresult cuGraphInstantiateWithParams(CUgraphExec* exec, CUgraph graph, CUDA_GRAPH_INSTANTIATE_PARAMS* parameters) {
    if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
    CUresult result = instantiate(exec, graph, parameters->flags);
    parameters->hErrNode_out = nullptr;
    parameters->result_out = result == CUDA_SUCCESS ? CUDA_GRAPH_INSTANTIATE_SUCCESS : CUDA_GRAPH_INSTANTIATE_ERROR;
    return result;
}

SLTT_API CUresult cuGraphExecGetFlags(CUgraphExec handle, unsigned long long* flags) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    auto exec = graph_execs().find(handle);
    if (!exec || flags == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *flags = exec->flags;
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuGraphExecDestroy(CUgraphExec handle) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    return graph_execs().remove(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

SLTT_API CUresult cuGraphUpload(CUgraphExec handle, CUstream stream) {
    CUresult result = check_stream(stream);
    if (result != CUDA_SUCCESS) return result;
    return graph_execs().find(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
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
