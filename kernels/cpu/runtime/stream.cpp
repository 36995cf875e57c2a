#include "runtime/stream.h"

#include <algorithm>

#include "runtime/execution.h"
#include "runtime/memory.h"
#include "runtime/objects.h"

namespace sltt_cpu {
namespace {

// One mutex for all streams of the strict device: its work runs in one thread at a time, the one that waits.
std::recursive_mutex& strict_mutex() {
    static auto* m = new std::recursive_mutex;
    return *m;
}
std::recursive_mutex& capture_mutex() {
    static auto* m = new std::recursive_mutex;
    return *m;
}
std::atomic<uint64_t> next_order{1};

// Captures in progress; under capture_mutex().
std::vector<std::shared_ptr<Capture>>& captures() {
    static auto* list = new std::vector<std::shared_ptr<Capture>>;
    return *list;
}
std::atomic<int> capture_count{0};

void finish(EventRecord& record) {
    record.when = Clock::now();
    record.done.store(true, std::memory_order_release);
}

// ---- The strict device's deferred work; all under strict_mutex() -----------------------------------------------------
//
// Who waits opens the memory a single time, for all the work that then runs and for the check of the fences: mprotect is slow.

CUresult strict_failure = CUDA_SUCCESS;

std::vector<std::shared_ptr<Stream>> strict_streams() {
    std::vector<std::shared_ptr<Stream>> list;
    for (auto& stream : streams().all())
        if (stream->device == STRICT_DEVICE) list.push_back(stream);
    return list;
}

// Keeps the failure for whoever waits, and drops the work that was queued behind it.
void fail(CUresult result) {
    if (strict_failure == CUDA_SUCCESS) strict_failure = result;
    for (auto& stream : strict_streams()) {
        for (Pending& p : stream->queue)
            if (p.records) finish(*p.records);
        stream->queue.clear();
    }
}

// Runs the stream's work up to and including `order`, and first the work that it waits for. Nothing else runs.
void drain(Stream& stream, uint64_t order) {
    while (!stream.queue.empty() && stream.queue.front().order <= order) {
        Pending next = std::move(stream.queue.front());
        stream.queue.pop_front();
        if (next.waits_for && !next.waits_for->done)
            if (auto other = next.waits_for->stream.lock()) drain(*other, next.waits_for->order);
        if (strict_failure == CUDA_SUCCESS && next.work) {
            CUresult result = run_work(STRICT_DEVICE, next.work, next.what);
            if (result != CUDA_SUCCESS) fail(result);
        }
        if (next.records) finish(*next.records);
    }
}

// The failure of the work that ran, or an overwritten fence.
CUresult collect_failure() {
    CUresult result = strict_failure;
    strict_failure = CUDA_SUCCESS;
    CUresult fences = check_fences();
    return result != CUDA_SUCCESS ? result : fences;
}

// ---- Capture ---------------------------------------------------------------------------------------------------------

// Records into the stream's capture; false where the stream is not captured.
bool record(Stream& stream, Command& command, CUresult* result) {
    if (capture_count == 0) return false;
    std::lock_guard lock(capture_mutex());
    if (!stream.capture) return false;
    *result = stream.capture->invalidated ? CUDA_ERROR_STREAM_CAPTURE_INVALIDATED : CUDA_SUCCESS;
    if (*result != CUDA_SUCCESS) return true;
    stream.capture->commands.push_back(std::move(command));
    ++stream.captured;
    stream.joined = stream.capture->origin == &stream;
    return true;
}

// Waiting for a captured stream is an error that invalidates the capture.
CUresult check_not_captured(Stream& stream) {
    if (capture_count == 0) return CUDA_SUCCESS;
    std::lock_guard lock(capture_mutex());
    if (!stream.capture) return CUDA_SUCCESS;
    stream.capture->invalidated = true;
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

}  // namespace

// ---- Finding streams -------------------------------------------------------------------------------------------------

std::shared_ptr<Stream> make_stream(const std::shared_ptr<Context>& context, bool is_default) {
    auto stream = std::make_shared<Stream>();
    stream->context = context;
    stream->device = context->device;
    stream->is_default = is_default;
    streams().add(stream);
    return stream;
}

CUresult find_stream(CUstream handle, std::shared_ptr<Stream>* stream) {
    CUresult result = require_initialized();
    if (result != CUDA_SUCCESS) return result;
    auto context = current_context();
    if (!context) return CUDA_ERROR_INVALID_CONTEXT;
    *stream = handle == nullptr ? context->default_stream : streams().find(handle);
    if (!*stream || (*stream)->context.lock() != context) return CUDA_ERROR_INVALID_HANDLE;
    return CUDA_SUCCESS;
}

CUresult check_context() {
    CUresult result = require_initialized();
    if (result != CUDA_SUCCESS) return result;
    return current_context() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

CUresult check_stream(CUstream handle) {
    std::shared_ptr<Stream> stream;
    return find_stream(handle, &stream);
}

bool is_captured(Stream& stream) {
    std::lock_guard lock(capture_mutex());
    return stream.capture != nullptr;
}

bool is_capturing(CUstream handle) {
    std::shared_ptr<Stream> stream;
    return find_stream(handle, &stream) == CUDA_SUCCESS && is_captured(*stream);
}

// ---- Work ------------------------------------------------------------------------------------------------------------

CUresult enqueue(CUstream handle, std::function<void()> work, const char* what) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    return result == CUDA_SUCCESS ? enqueue_on(*stream, std::move(work), what) : result;
}

CUresult enqueue_on(Stream& stream, std::function<void()> work, const char* what) {
    return enqueue_command(stream, {std::move(work), what, CU_GRAPH_NODE_TYPE_KERNEL, {}});
}

CUresult enqueue_command(Stream& stream, Command command) {
    CUresult result;
    if (record(stream, command, &result)) return result;
    if (stream.device == STRICT_DEVICE) {
        std::lock_guard lock(strict_mutex());
        stream.queue.push_back({next_order++, std::move(command.work), command.what, nullptr, nullptr});
        return CUDA_SUCCESS;
    }
    std::lock_guard lock(stream.mutex);
    return run_work(stream.device, command.work, command.what);
}

CUresult record_event(Stream& stream, Event& event) {
    if (event.device != stream.device) return CUDA_ERROR_INVALID_HANDLE;
    auto made = std::make_shared<EventRecord>();
    made->stream = stream.weak_from_this();
    std::unique_lock capturing(capture_mutex());
    if (stream.capture) {
        if (stream.capture->invalidated) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
        made->capture = stream.capture;
        made->captured = stream.captured;
    }
    capturing.unlock();
    if (!made->capture && stream.device == STRICT_DEVICE) {
        std::lock_guard lock(strict_mutex());
        made->order = next_order++;
        stream.queue.push_back({made->order, nullptr, "cuEventRecord", nullptr, made});
    } else if (!made->capture) {
        std::lock_guard lock(stream.mutex);  // other threads' work on this stream is done
        finish(*made);
    }
    std::lock_guard lock(event.mutex);
    event.record = std::move(made);
    return CUDA_SUCCESS;
}

namespace {

// A stream waits for an event of a capture: it joins the capture, or the origin rejoins it. Under capture_mutex().
CUresult wait_captured(Stream& stream, const EventRecord& record) {
    auto capture = record.capture;
    if (std::find(captures().begin(), captures().end(), capture) == captures().end()) return CUDA_ERROR_INVALID_VALUE;
    if (capture->invalidated) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    if (stream.is_default) {
        capture->invalidated = true;
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    if (stream.capture && stream.capture != capture) {
        stream.capture->invalidated = capture->invalidated = true;
        return CUDA_ERROR_STREAM_CAPTURE_MERGE;
    }
    if (!stream.capture) {
        stream.capture = capture;
        stream.captured = 0;
        stream.joined = false;
        capture->streams.push_back(stream.weak_from_this());
        return CUDA_SUCCESS;
    }
    auto from = record.stream.lock();
    if (from && from->capture == capture && from->captured == record.captured) from->joined = true;
    return CUDA_SUCCESS;
}

}  // namespace

CUresult wait_event(Stream& stream, const std::shared_ptr<EventRecord>& record) {
    if (!record) return CUDA_SUCCESS;  // never recorded: there is nothing to wait for
    {
        std::lock_guard capturing(capture_mutex());
        if (record->capture) return wait_captured(stream, *record);
        if (stream.capture) {  // a graph cannot wait for work outside the capture
            stream.capture->invalidated = true;
            return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
        }
    }
    if (stream.device == STRICT_DEVICE) {
        std::lock_guard lock(strict_mutex());
        stream.queue.push_back({next_order++, nullptr, "cuStreamWaitEvent", record, nullptr});
    } else if (auto from = record->stream.lock(); from && from->device == STRICT_DEVICE) {
        std::lock_guard lock(strict_mutex());
        drain(*from, record->order);
    }
    return CUDA_SUCCESS;  // work on the fast device is done when its record is made
}

CUresult synchronize(CUstream handle) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    return result == CUDA_SUCCESS ? synchronize(*stream) : result;
}

CUresult synchronize(Stream& stream) {
    CUresult result = check_not_captured(stream);
    if (result != CUDA_SUCCESS) return result;
    if (stream.device == STRICT_DEVICE) {
        std::lock_guard lock(strict_mutex());
        StrictAccess access(STRICT_DEVICE);
        drain(stream, UINT64_MAX);
        return collect_failure();
    }
    std::lock_guard lock(stream.mutex);
    return CUDA_SUCCESS;
}

CUresult synchronize(EventRecord& record, int device) {
    if (record.capture) return CUDA_ERROR_CAPTURED_EVENT;
    if (device == STRICT_DEVICE) {
        std::lock_guard lock(strict_mutex());
        StrictAccess access(STRICT_DEVICE);
        if (auto stream = record.stream.lock()) drain(*stream, record.order);
        return collect_failure();
    }
    return CUDA_SUCCESS;
}

CUresult synchronize_device(int device) {
    CUresult result = check_no_capture();
    if (result != CUDA_SUCCESS) return result;
    if (device == STRICT_DEVICE) {
        std::lock_guard lock(strict_mutex());
        StrictAccess access(STRICT_DEVICE);
        for (auto& stream : strict_streams()) drain(*stream, UINT64_MAX);
        return collect_failure();
    }
    for (auto& stream : streams().all())
        if (stream->device == device) std::lock_guard lock(stream->mutex);
    return CUDA_SUCCESS;
}

// ---- Capture ---------------------------------------------------------------------------------------------------------

CUresult begin_capture(Stream& stream) {
    if (stream.is_default) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    std::lock_guard lock(capture_mutex());
    if (stream.capture) return CUDA_ERROR_ILLEGAL_STATE;
    auto capture = std::make_shared<Capture>();
    capture->thread = std::this_thread::get_id();
    capture->origin = &stream;
    capture->streams.push_back(stream.weak_from_this());
    stream.capture = capture;
    stream.captured = 0;
    stream.joined = true;
    captures().push_back(capture);
    ++capture_count;
    return CUDA_SUCCESS;
}

CUresult end_capture(Stream& stream, std::shared_ptr<Graph>* graph) {
    std::lock_guard lock(capture_mutex());
    auto capture = stream.capture;
    if (!capture) return CUDA_ERROR_ILLEGAL_STATE;
    if (capture->origin != &stream) return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
    if (capture->thread != std::this_thread::get_id()) return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
    CUresult result = capture->invalidated ? CUDA_ERROR_STREAM_CAPTURE_INVALIDATED : CUDA_SUCCESS;
    for (auto& member : capture->streams)
        if (auto s = member.lock()) {
            if (!s->joined && result == CUDA_SUCCESS) result = CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
            s->capture = nullptr;
        }
    captures().erase(std::find(captures().begin(), captures().end(), capture));
    --capture_count;
    if (result != CUDA_SUCCESS) return result;
    *graph = std::make_shared<Graph>();
    (*graph)->device = stream.device;
    for (Command& command : capture->commands) {  // each runs behind the one before
        auto node = std::make_shared<GraphNode>(GraphNode{std::move(command), {}, *graph});
        if (!(*graph)->nodes.empty()) node->dependencies.push_back((*graph)->nodes.back());
        (*graph)->nodes.push_back(std::move(node));
    }
    return CUDA_SUCCESS;
}

CUresult check_no_capture() {
    if (capture_count == 0) return CUDA_SUCCESS;
    std::lock_guard lock(capture_mutex());
    CUresult result = CUDA_SUCCESS;
    for (auto& capture : captures())
        if (capture->thread == std::this_thread::get_id()) {
            capture->invalidated = true;
            result = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
        }
    return result;
}

}  // namespace sltt_cpu
