// Contexts, streams, events and graphs behind the driver API's handles.
#pragma once
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "cuda_api.h"
#include "handles.h"

namespace sltt_cpu {

using Clock = std::chrono::steady_clock;

// ---- Contexts --------------------------------------------------------------------------------------------------------

struct Stream;
struct Context {
    int device = 0;
    bool primary = false;
    unsigned flags = 0;
    unsigned api_version = 0;
    std::shared_ptr<Stream> null_stream;  // the legacy default stream
};

// The calling thread's context; null where there is none or it was destroyed.
std::shared_ptr<Context> current_context();
CUresult require_initialized();

// ---- Graphs ----------------------------------------------------------------------------------------------------------

struct Command {
    std::function<void()> work;
    const char* what;
};
struct Graph {
    int device = 0;
    std::shared_ptr<std::vector<Command>> commands = std::make_shared<std::vector<Command>>();
};
struct GraphExec {
    int device = 0;
    std::shared_ptr<const std::vector<Command>> commands;
    unsigned long long flags = 0;
};

// A capture in progress: what its streams are given, in the order it came.
struct Capture {
    CUstreamCaptureMode mode;
    std::thread::id thread;
    unsigned long long id;
    Stream* origin;
    bool invalidated = false;
    std::vector<Command> commands;
    std::vector<std::weak_ptr<Stream>> streams;  // the origin and those that joined by waiting for an event of it
};

// ---- Streams and events ----------------------------------------------------------------------------------------------

// The point that an event was recorded at.
struct EventRecord {
    std::weak_ptr<Stream> stream;
    uint64_t order = 0;  // of the record among the work of all streams
    std::atomic<bool> done{false};
    Clock::time_point when{};
    std::shared_ptr<Capture> capture;  // where the record was captured
    uint64_t captured = 0;             // commands that the stream had given by then
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
    unsigned flags = 0;
    int priority = 0;
    bool legacy = false;
    std::recursive_mutex mutex;        // held while work of the stream runs
    std::deque<Pending> queue;         // strict device: what nothing has waited for yet; under strict_mutex()
    std::shared_ptr<Capture> capture;  // under capture_mutex()
    uint64_t captured = 0;             // commands given to the capture by this stream
    bool joined = true;                // captured work of a stream that came in later: the origin has waited for all of it
};

using Streams = HandleTable<Stream, CUstream>;
using Events = HandleTable<Event, CUevent>;
using Graphs = HandleTable<Graph, CUgraph>;
using GraphExecs = HandleTable<GraphExec, CUgraphExec>;
inline Streams& streams() { return handles<Stream, CUstream>(); }
inline Events& events() { return handles<Event, CUevent>(); }
inline Graphs& graphs() { return handles<Graph, CUgraph>(); }
inline GraphExecs& graph_execs() { return handles<GraphExec, CUgraphExec>(); }

// The stream that a handle names in the current context: null and CU_STREAM_LEGACY the default stream.
CUresult find_stream(CUstream handle, std::shared_ptr<Stream>* stream);
std::shared_ptr<Stream> make_stream(const std::shared_ptr<Context>& context, unsigned flags, int priority, bool legacy);

CUresult enqueue_on(Stream& stream, std::function<void()> work, const char* what);
CUresult record_event(Stream& stream, Event& event);
CUresult wait_event(Stream& stream, const std::shared_ptr<EventRecord>& record);

// Runs what is waited for; the result is what the work failed with, told once.
CUresult synchronize(Stream& stream);
CUresult synchronize(EventRecord& record, int device);
CUresult synchronize_device(int device);
// Whether all work given so far is done. On the strict device, work that was still waiting runs now, and the answer is
// no this once.
CUresult query(Stream& stream);
CUresult query(EventRecord& record, int device);

// ---- Capture ---------------------------------------------------------------------------------------------------------

CUresult begin_capture(Stream& stream, CUstreamCaptureMode mode);
CUresult end_capture(Stream& stream, std::shared_ptr<Graph>* graph);
CUstreamCaptureStatus capture_status(Stream& stream, unsigned long long* id);
// CUDA_SUCCESS, or CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED where a capture in progress forbids a call such as an
// allocation on this thread; the capture is then invalid, as on a GPU.
CUresult check_no_capture();
CUstreamCaptureMode exchange_capture_mode(CUstreamCaptureMode mode);

// ---- Execution -------------------------------------------------------------------------------------------------------

// Runs work with the device's memory accessible; failures become a result and a message.
CUresult run_work(int device, const std::function<void()>& work, const char* what);
// Copies and fills, by several threads where that pays.
void copy_bytes(void* to, const void* from, size_t bytes);
void fill_bytes(void* to, const void* pattern, size_t pattern_bytes, size_t count);

}  // namespace sltt_cpu
