// Driver API: graphs. A capture makes a node of each command, behind the one before. A launch runs the nodes one after the other, in an
// order that their dependencies allow.
#include <algorithm>
#include <exception>
#include <string>
#include <unordered_map>

#include "runtime/objects.h"
#include "runtime/report.h"
#include "runtime/stream.h"

using namespace sltt_cpu;

namespace {

enum class Visit { Never, Begun, Done };

// Appends the node's command behind those of its dependencies; false where they form a cycle.
bool add_in_order(GraphNode& node, std::unordered_map<GraphNode*, Visit>* visits, std::vector<Command>* commands) {
    Visit& visit = (*visits)[&node];
    if (visit != Visit::Never) return visit == Visit::Done;
    visit = Visit::Begun;
    for (auto& before : node.dependencies)
        if (!add_in_order(*before, visits, commands)) return false;
    commands->push_back(node.command);
    (*visits)[&node] = Visit::Done;  // the map may have moved its values
    return true;
}

// Writes handles in CUDA's way: `nodes` null asks for their number; places beyond them become null.
CUresult write_nodes(const std::vector<std::shared_ptr<GraphNode>>& list, CUgraphNode* nodes, size_t* count) {
    if (count == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (nodes != nullptr)
        for (size_t i = 0; i < *count; ++i) nodes[i] = i < list.size() ? graph_nodes().add(list[i]) : nullptr;
    if (nodes == nullptr || *count > list.size()) *count = list.size();
    return CUDA_SUCCESS;
}

CUresult find_node(CUgraphNode handle, std::shared_ptr<GraphNode>* node) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    *node = graph_nodes().find(handle);
    return *node ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

}  // namespace

CUresult sltt_cpu::add_graph_node(CUgraph handle, const CUgraphNode* dependencies, size_t count, Command command, CUgraphNode* out) {
    auto graph = graphs().find(handle);
    if (!graph || (dependencies == nullptr && count > 0)) return CUDA_ERROR_INVALID_VALUE;
    auto node = std::make_shared<GraphNode>(GraphNode{std::move(command), {}, graph});
    for (size_t i = 0; i < count; ++i) {
        auto before = graph_nodes().find(dependencies[i]);
        if (!before || before->graph.lock() != graph) return CUDA_ERROR_INVALID_VALUE;
        node->dependencies.push_back(before);
    }
    graph->nodes.push_back(node);
    *out = graph_nodes().add(node);
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuGraphDestroy(CUgraph handle) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    auto graph = graphs().remove(handle);
    if (!graph) return CUDA_ERROR_INVALID_VALUE;
    for (auto& node : graph->nodes) {
        graph_nodes().remove(reinterpret_cast<CUgraphNode>(node.get()));
        node->dependencies.clear();
    }
    return CUDA_SUCCESS;
}

// `flags` are about uploads and device launches, which do not exist here.
SLTT_API CUresult cuGraphInstantiateWithFlags(CUgraphExec* handle, CUgraph graph_handle, unsigned long long) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    auto graph = graphs().find(graph_handle);
    if (!graph || handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    auto commands = std::make_shared<std::vector<Command>>();
    std::unordered_map<GraphNode*, Visit> visits;
    for (auto& node : graph->nodes)
        if (!add_in_order(*node, &visits, commands.get())) return CUDA_ERROR_INVALID_VALUE;
    *handle = graph_execs().add(std::make_shared<GraphExec>(GraphExec{graph->device, commands}));
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

// ---- Nodes -----------------------------------------------------------------------------------------------------------

SLTT_API CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode* nodes, size_t* count) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    auto graph = graphs().find(handle);
    return graph ? write_nodes(graph->nodes, nodes, count) : CUDA_ERROR_INVALID_VALUE;
}

SLTT_API CUresult cuGraphNodeGetType(CUgraphNode handle, CUgraphNodeType* type) {
    std::shared_ptr<GraphNode> node;
    CUresult result = find_node(handle, &node);
    if (result != CUDA_SUCCESS) return result;
    if (type == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *type = node->command.type;
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuGraphMemsetNodeGetParams(CUgraphNode handle, CUDA_MEMSET_NODE_PARAMS* params) {
    std::shared_ptr<GraphNode> node;
    CUresult result = find_node(handle, &node);
    if (result != CUDA_SUCCESS) return result;
    if (params == nullptr || node->command.type != CU_GRAPH_NODE_TYPE_MEMSET) return CUDA_ERROR_INVALID_VALUE;
    *params = node->command.fill;
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuGraphNodeGetDependencies(CUgraphNode handle, CUgraphNode* nodes, size_t* count) {
    std::shared_ptr<GraphNode> node;
    CUresult result = find_node(handle, &node);
    return result == CUDA_SUCCESS ? write_nodes(node->dependencies, nodes, count) : result;
}

SLTT_API CUresult cuGraphNodeGetDependentNodes(CUgraphNode handle, CUgraphNode* nodes, size_t* count) {
    std::shared_ptr<GraphNode> node;
    CUresult result = find_node(handle, &node);
    if (result != CUDA_SUCCESS) return result;
    auto graph = node->graph.lock();
    std::vector<std::shared_ptr<GraphNode>> list;
    if (graph)
        for (auto& other : graph->nodes)
            if (std::count(other->dependencies.begin(), other->dependencies.end(), node) > 0) list.push_back(other);
    return write_nodes(list, nodes, count);
}

// Node to[i] runs behind from[i].
SLTT_API CUresult cuGraphAddDependencies(CUgraph handle, const CUgraphNode* from, const CUgraphNode* to, size_t count) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    auto graph = graphs().find(handle);
    if (!graph || ((from == nullptr || to == nullptr) && count > 0)) return CUDA_ERROR_INVALID_VALUE;
    for (size_t i = 0; i < count; ++i) {
        auto before = graph_nodes().find(from[i]), behind = graph_nodes().find(to[i]);
        if (!before || !behind || before->graph.lock() != graph || behind->graph.lock() != graph) return CUDA_ERROR_INVALID_VALUE;
        auto& list = behind->dependencies;
        if (before == behind || std::count(list.begin(), list.end(), before) > 0) return CUDA_ERROR_INVALID_VALUE;
        list.push_back(before);
    }
    return CUDA_SUCCESS;
}

// Its edges go with it: what ran behind it no longer waits for what ran before it.
SLTT_API CUresult cuGraphDestroyNode(CUgraphNode handle) {
    std::shared_ptr<GraphNode> node;
    CUresult result = find_node(handle, &node);
    if (result != CUDA_SUCCESS) return result;
    auto remove_from = [&](std::vector<std::shared_ptr<GraphNode>>& list) {
        list.erase(std::remove(list.begin(), list.end(), node), list.end());
    };
    if (auto graph = node->graph.lock()) {
        remove_from(graph->nodes);
        for (auto& other : graph->nodes) remove_from(other->dependencies);
    }
    graph_nodes().remove(handle);
    return CUDA_SUCCESS;
}
