// Contexts, streams, events and graphs behind the driver API's handles.
//
// Streams are independent of each other: the engine makes non-blocking ones only. The default stream (handle null) is a stream
// like the others, except that it can be neither captured nor destroyed.
#pragma once
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/cuda_api.h"
#include "runtime/handles.h"

namespace sltt_cpu {

using Clock = std::chrono::steady_clock;

// ---- Contexts --------------------------------------------------------------------------------------------------------

struct Stream;
struct Context {
    int device = 0;
    bool primary = false;
    std::shared_ptr<Stream> default_stream;
};

// The calling thread's context; null where there is none or it was destroyed.
std::shared_ptr<Context> current_context();
CUresult require_initialized();

// ---- Graphs ----------------------------------------------------------------------------------------------------------

struct Command {
    std::function<void()> work;
    const char* what;
    CUgraphNodeType type;
    CUDA_MEMSET_NODE_PARAMS fill;  // of a fill
};
struct Graph;
struct GraphNode {
    Command command;
    std::vector<std::shared_ptr<GraphNode>> dependencies;  // these run before it
    std::weak_ptr<Graph> graph;
};
struct Graph {
    int device = 0;
    std::vector<std::shared_ptr<GraphNode>> nodes;
};
struct GraphExec {
    int device = 0;
    std::shared_ptr<const std::vector<Command>> commands;
};

// A capture in progress: the commands given to its streams, in order.
struct Capture {
    std::thread::id thread;
    Stream* origin;
    bool invalidated = false;
    std::vector<Command> commands;
    std::vector<std::weak_ptr<Stream>> streams;  // the origin, and the streams that joined by waiting for an event of the capture
};

// ---- Streams and events ----------------------------------------------------------------------------------------------

// The point at which an event was recorded.
struct EventRecord {
    std::weak_ptr<Stream> stream;
    uint64_t order = 0;  // among the work of all streams
    std::atomic<bool> done{false};
    Clock::time_point when{};
    std::shared_ptr<Capture> capture;  // null unless the record was captured
    uint64_t captured = 0;             // commands that the stream had given to the capture by then
};
struct Event {
    unsigned flags = 0;
    int device = 0;
    std::mutex mutex;
    std::shared_ptr<EventRecord> record;  // the latest; null before the first
    std::shared_ptr<EventRecord> latest() {
        std::lock_guard lock(mutex);
        return record;
    }
};

struct Pending {
    uint64_t order;
    std::function<void()> work;
    const char* what;
    std::shared_ptr<EventRecord> waits_for;
    std::shared_ptr<EventRecord> records;
};
struct Stream : std::enable_shared_from_this<Stream> {
    std::weak_ptr<Context> context;
    int device = 0;
    bool is_default = false;
    std::recursive_mutex mutex;        // held while work of the stream runs
    std::deque<Pending> queue;         // strict device: work that nothing has waited for yet; under strict_mutex()
    std::shared_ptr<Capture> capture;  // under capture_mutex()
    uint64_t captured = 0;             // commands given to the capture by this stream
    bool joined = true;                // the origin has waited for all of them
};

using Streams = HandleTable<Stream, CUstream>;
using Events = HandleTable<Event, CUevent>;
using Graphs = HandleTable<Graph, CUgraph>;
using GraphExecs = HandleTable<GraphExec, CUgraphExec>;
using GraphNodes = HandleTable<GraphNode, CUgraphNode>;
inline Streams& streams() { return handles<Stream, CUstream>(); }
inline Events& events() { return handles<Event, CUevent>(); }
inline Graphs& graphs() { return handles<Graph, CUgraph>(); }
inline GraphExecs& graph_execs() { return handles<GraphExec, CUgraphExec>(); }
inline GraphNodes& graph_nodes() { return handles<GraphNode, CUgraphNode>(); }

std::shared_ptr<Stream> make_stream(const std::shared_ptr<Context>& context, bool is_default);
// The stream that a handle names in the current context.
CUresult find_stream(CUstream handle, std::shared_ptr<Stream>* stream);

CUresult enqueue_on(Stream& stream, std::function<void()> work, const char* what);
// The same for work that a captured graph shows as another node than a kernel's.
CUresult enqueue_command(Stream& stream, Command command);
// Adds a node behind others of the graph.
CUresult add_graph_node(CUgraph graph, const CUgraphNode* dependencies, size_t count, Command command, CUgraphNode* node);
CUresult record_event(Stream& stream, Event& event);
CUresult wait_event(Stream& stream, const std::shared_ptr<EventRecord>& record);

// Run the work that is waited for. They return its failure, a single time.
CUresult synchronize(Stream& stream);
CUresult synchronize(EventRecord& record, int device);
CUresult synchronize_device(int device);

// ---- Capture: thread-local, as the engine captures -------------------------------------------------------------------

CUresult begin_capture(Stream& stream);
CUresult end_capture(Stream& stream, std::shared_ptr<Graph>* graph);
bool is_captured(Stream& stream);
// CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED where this thread captures a stream, which forbids a call such as an allocation. The capture is
// then invalid, as on a GPU.
CUresult check_no_capture();

}  // namespace sltt_cpu
