// Driver API: graphs. A graph is the list of commands that a capture recorded; its launch runs them in that order.
#include <cstddef>
#include <cstdio>
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

namespace {
CUgraphNodeType type_of(const Command& command) {
    std::string what = command.what;
    if (what.rfind("cuMemcpy", 0) == 0) return CU_GRAPH_NODE_TYPE_MEMCPY;
    if (what.rfind("cuMemset", 0) == 0) return CU_GRAPH_NODE_TYPE_MEMSET;
    if (what == "cuLaunchHostFunc") return CU_GRAPH_NODE_TYPE_HOST;
    if (what == "cuGraphLaunch") return CU_GRAPH_NODE_TYPE_GRAPH;
    return CU_GRAPH_NODE_TYPE_KERNEL;
}
}  // namespace

SLTT_API CUresult cuGraphNodeGetType(CUgraphNode node, CUgraphNodeType* type) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    if (type == nullptr) return CUDA_ERROR_INVALID_VALUE;
    for (auto& graph : graphs().all())
        for (const Command& c : *graph->commands)
            if (reinterpret_cast<CUgraphNode>(const_cast<Command*>(&c)) == node) {
                *type = type_of(c);
                return CUDA_SUCCESS;
            }
    return CUDA_ERROR_INVALID_VALUE;
}

// The commands as a chain in Graphviz's language.
SLTT_API CUresult cuGraphDebugDotPrint(CUgraph handle, const char* path, unsigned) {
    std::shared_ptr<Graph> graph;
    CUresult result = find_graph(handle, &graph);
    if (result != CUDA_SUCCESS) return result;
    if (path == nullptr) return CUDA_ERROR_INVALID_VALUE;
    std::FILE* file = std::fopen(path, "w");
    if (file == nullptr) return CUDA_ERROR_OPERATING_SYSTEM;
    std::fputs("digraph {\n", file);
    size_t n = graph->commands->size();
    for (size_t i = 0; i < n; ++i) std::fprintf(file, "  n%zu [label=\"%s\"];\n", i, (*graph->commands)[i].what);
    for (size_t i = 1; i < n; ++i) std::fprintf(file, "  n%zu -> n%zu;\n", i - 1, i);
    bool written = std::fputs("}\n", file) >= 0;
    return std::fclose(file) == 0 && written ? CUDA_SUCCESS : CUDA_ERROR_OPERATING_SYSTEM;
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
