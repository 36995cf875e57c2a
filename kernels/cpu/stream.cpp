#include "stream.h"

#include <algorithm>

#include "memory.h"
#include "runtime.h"

namespace sltt_cpu {
namespace {

// One for all streams of the strict device: its work runs in one thread at a time, whichever waits.
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
thread_local CUstreamCaptureMode thread_mode = CU_STREAM_CAPTURE_MODE_GLOBAL;

void finish(EventRecord& record) {
    record.when = Clock::now();
    record.done.store(true, std::memory_order_release);
}

// ---- The strict device's deferred work; all under strict_mutex() -----------------------------------------------------

CUresult strict_failure = CUDA_SUCCESS;

std::vector<std::shared_ptr<Stream>> strict_streams() {
    std::vector<std::shared_ptr<Stream>> list;
    for (auto& stream : streams().all())
        if (stream->device == STRICT_DEVICE) list.push_back(stream);
    return list;
}

void fail(CUresult result) {
    if (strict_failure == CUDA_SUCCESS) strict_failure = result;
    // What was given after work that failed does not run.
    for (auto& stream : strict_streams()) {
        for (Pending& p : stream->queue)
            if (p.records) finish(*p.records);
        stream->queue.clear();
    }
}

// Runs the stream's work up to and with `order`, and before it what that depends on, nothing else.
void drain(Stream& stream, uint64_t order) {
    while (!stream.queue.empty() && stream.queue.front().order <= order) {
        Pending next = std::move(stream.queue.front());
        stream.queue.pop_front();
        if (next.waits_for && !next.waits_for->done)
            if (auto other = next.waits_for->stream.lock()) drain(*other, next.waits_for->order);
        // The default stream waits for all blocking streams of its context, and they for it.
        if (stream.legacy) {
            for (auto& other : strict_streams())
                if (other.get() != &stream && (other->flags & CU_STREAM_NON_BLOCKING) == 0 && other->context.lock() == stream.context.lock()) drain(*other, next.order - 1);
        } else if ((stream.flags & CU_STREAM_NON_BLOCKING) == 0) {
            if (auto context = stream.context.lock(); context && context->null_stream) drain(*context->null_stream, next.order - 1);
        }
        if (strict_failure == CUDA_SUCCESS && next.work) {
            CUresult result = run_work(STRICT_DEVICE, next.work, next.what);
            if (result != CUDA_SUCCESS) fail(result);
        }
        if (next.records) finish(*next.records);
    }
}

// What waited-for work failed with, or whether something was overwritten.
CUresult take_failure() {
    CUresult result = strict_failure;
    strict_failure = CUDA_SUCCESS;
    CUresult fences = check_fences();
    return result != CUDA_SUCCESS ? result : fences;
}

// ---- Capture; all under capture_mutex() ------------------------------------------------------------------------------

bool forbids(const Capture& capture) {
    if (thread_mode == CU_STREAM_CAPTURE_MODE_RELAXED || capture.mode == CU_STREAM_CAPTURE_MODE_RELAXED) return false;
    if (capture.thread == std::this_thread::get_id()) return true;
    return capture.mode == CU_STREAM_CAPTURE_MODE_GLOBAL && thread_mode == CU_STREAM_CAPTURE_MODE_GLOBAL;
}

// Work on the default stream would have to wait for a stream that is being captured.
CUresult check_implicit(const Stream& stream) {
    if (!stream.legacy || capture_count == 0) return CUDA_SUCCESS;
    std::lock_guard lock(capture_mutex());
    CUresult result = CUDA_SUCCESS;
    for (auto& capture : captures())
        for (auto& member : capture->streams)
            if (auto s = member.lock(); s && (s->flags & CU_STREAM_NON_BLOCKING) == 0 && s->context.lock() == stream.context.lock()) {
                capture->invalidated = true;
                result = CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
            }
    return result;
}

// Records into the stream's capture; false where the stream is not being captured.
bool record(Stream& stream, std::function<void()>& work, const char* what, CUresult* result) {
    if (capture_count == 0) return false;
    std::lock_guard lock(capture_mutex());
    if (!stream.capture) return false;
    *result = stream.capture->invalidated ? CUDA_ERROR_STREAM_CAPTURE_INVALIDATED : CUDA_SUCCESS;
    if (*result != CUDA_SUCCESS) return true;
    stream.capture->commands.push_back({std::move(work), what});
    ++stream.captured;
    stream.joined = stream.capture->origin == &stream;
    return true;
}

// Synchronizing with a stream under capture is an error that ends the capture.
CUresult check_not_captured(Stream& stream) {
    if (capture_count == 0) return CUDA_SUCCESS;
    std::lock_guard lock(capture_mutex());
    if (!stream.capture) return check_implicit(stream);
    stream.capture->invalidated = true;
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

}  // namespace

// ---- Finding streams -------------------------------------------------------------------------------------------------

std::shared_ptr<Stream> make_stream(const std::shared_ptr<Context>& context, unsigned flags, int priority, bool legacy) {
    auto stream = std::make_shared<Stream>();
    stream->context = context;
    stream->device = context->device;
    stream->flags = flags;
    stream->priority = priority;
    stream->legacy = legacy;
    streams().add(stream);
    return stream;
}

CUresult find_stream(CUstream handle, std::shared_ptr<Stream>* stream) {
    CUresult result = require_initialized();
    if (result != CUDA_SUCCESS) return result;
    auto context = current_context();
    if (!context) return CUDA_ERROR_INVALID_CONTEXT;
    // The per-thread default stream is served by the legacy one: more order than promised, never less.
    if (handle == nullptr || handle == CU_STREAM_LEGACY || handle == CU_STREAM_PER_THREAD) {
        *stream = context->null_stream;
        return CUDA_SUCCESS;
    }
    *stream = streams().find(handle);
    if (!*stream || (*stream)->legacy) return CUDA_ERROR_INVALID_HANDLE;
    if ((*stream)->context.lock() != context) return CUDA_ERROR_INVALID_HANDLE;
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

bool is_capturing(CUstream handle) {
    std::shared_ptr<Stream> stream;
    if (find_stream(handle, &stream) != CUDA_SUCCESS) return false;
    std::lock_guard lock(capture_mutex());
    return stream->capture != nullptr;
}

// ---- Work ------------------------------------------------------------------------------------------------------------

CUresult enqueue(CUstream handle, std::function<void()> work, const char* what) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    return result == CUDA_SUCCESS ? enqueue_on(*stream, std::move(work), what) : result;
}

CUresult enqueue_on(Stream& stream, std::function<void()> work, const char* what) {
    CUresult result;
    if (record(stream, work, what, &result)) return result;
    if ((result = check_implicit(stream)) != CUDA_SUCCESS) return result;
    if (stream.device == STRICT_DEVICE) {
        std::lock_guard lock(strict_mutex());
        stream.queue.push_back({next_order++, std::move(work), what, nullptr, nullptr});
        return CUDA_SUCCESS;
    }
    std::lock_guard lock(stream.mutex);
    return run_work(stream.device, work, what);
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
    if (!made->capture) {
        CUresult result = check_implicit(stream);
        if (result != CUDA_SUCCESS) return result;
        if (stream.device == STRICT_DEVICE) {
            std::lock_guard lock(strict_mutex());
            made->order = next_order++;
            stream.queue.push_back({made->order, nullptr, "cuEventRecord", nullptr, made});
        } else {
            std::lock_guard lock(stream.mutex);  // work of another thread on this stream is done
            finish(*made);
        }
    }
    std::lock_guard lock(event.mutex);
    event.record = std::move(made);
    return CUDA_SUCCESS;
}

CUresult wait_event(Stream& stream, const std::shared_ptr<EventRecord>& record) {
    if (!record) return CUDA_SUCCESS;  // never recorded: nothing to wait for
    std::unique_lock capturing(capture_mutex());
    if (record->capture) {
        auto capture = record->capture;
        auto from = record->stream.lock();
        if (std::find(captures().begin(), captures().end(), capture) == captures().end()) return CUDA_ERROR_INVALID_VALUE;
        if (capture->invalidated) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
        if (stream.legacy) {
            capture->invalidated = true;
            return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
        }
        if (stream.capture && stream.capture != capture) {
            stream.capture->invalidated = capture->invalidated = true;
            return CUDA_ERROR_STREAM_CAPTURE_MERGE;
        }
        if (!stream.capture) {  // the stream joins the capture
            stream.capture = capture;
            stream.captured = 0;
            stream.joined = false;
            capture->streams.push_back(stream.weak_from_this());
        } else if (from && from->capture == capture && from->captured == record->captured) {
            from->joined = true;
        }
        return CUDA_SUCCESS;
    }
    if (stream.capture) {  // waiting for work outside the capture
        stream.capture->invalidated = true;
        return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
    }
    capturing.unlock();
    if (stream.device == STRICT_DEVICE) {
        std::lock_guard lock(strict_mutex());
        stream.queue.push_back({next_order++, nullptr, "cuStreamWaitEvent", record, nullptr});
    } else if (auto from = record->stream.lock(); from && from->device == STRICT_DEVICE) {
        std::lock_guard lock(strict_mutex());
        drain(*from, record->order);
    }
    return CUDA_SUCCESS;  // what was recorded on the fast device is done
}

CUresult synchronize(Stream& stream) {
    CUresult result = check_not_captured(stream);
    if (result != CUDA_SUCCESS) return result;
    if (stream.device == STRICT_DEVICE) {
        std::lock_guard lock(strict_mutex());
        drain(stream, UINT64_MAX);
        if (stream.legacy)
            for (auto& other : strict_streams())
                if ((other->flags & CU_STREAM_NON_BLOCKING) == 0 && other->context.lock() == stream.context.lock()) drain(*other, UINT64_MAX);
        return take_failure();
    }
    std::lock_guard lock(stream.mutex);
    return CUDA_SUCCESS;
}

CUresult synchronize(EventRecord& record, int device) {
    if (record.capture) return CUDA_ERROR_CAPTURED_EVENT;
    if (device == STRICT_DEVICE) {
        std::lock_guard lock(strict_mutex());
        if (auto stream = record.stream.lock()) drain(*stream, record.order);
        return take_failure();
    }
    return CUDA_SUCCESS;
}

CUresult synchronize_device(int device) {
    CUresult result = check_no_capture();
    if (result != CUDA_SUCCESS) return result;
    if (device == STRICT_DEVICE) {
        std::lock_guard lock(strict_mutex());
        for (auto& stream : strict_streams()) drain(*stream, UINT64_MAX);
        return take_failure();
    }
    for (auto& stream : streams().all())
        if (stream->device == device) std::lock_guard lock(stream->mutex);
    return CUDA_SUCCESS;
}

CUresult query(Stream& stream) {
    CUresult result = check_not_captured(stream);
    if (result != CUDA_SUCCESS) return result;
    if (stream.device == STRICT_DEVICE) {
        std::lock_guard lock(strict_mutex());
        bool waiting = !stream.queue.empty();
        drain(stream, UINT64_MAX);
        result = take_failure();
        return result != CUDA_SUCCESS ? result : waiting ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS;
    }
    if (!stream.mutex.try_lock()) return CUDA_ERROR_NOT_READY;
    stream.mutex.unlock();
    return CUDA_SUCCESS;
}

CUresult query(EventRecord& record, int device) {
    if (record.capture) return CUDA_ERROR_CAPTURED_EVENT;
    if (device == STRICT_DEVICE) {
        std::lock_guard lock(strict_mutex());
        bool waiting = !record.done;
        if (auto stream = record.stream.lock()) drain(*stream, record.order);
        CUresult result = take_failure();
        return result != CUDA_SUCCESS ? result : waiting ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS;
    }
    return record.done ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

// ---- Capture ---------------------------------------------------------------------------------------------------------

CUresult begin_capture(Stream& stream, CUstreamCaptureMode mode) {
    static unsigned long long next_id = 1;
    if (mode < CU_STREAM_CAPTURE_MODE_GLOBAL || mode > CU_STREAM_CAPTURE_MODE_RELAXED) return CUDA_ERROR_INVALID_VALUE;
    if (stream.legacy) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    std::lock_guard lock(capture_mutex());
    if (stream.capture) return CUDA_ERROR_ILLEGAL_STATE;
    auto capture = std::make_shared<Capture>();
    capture->mode = mode;
    capture->thread = std::this_thread::get_id();
    capture->id = next_id++;
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
    if (capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED && capture->thread != std::this_thread::get_id()) return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
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
    *(*graph)->commands = std::move(capture->commands);
    return CUDA_SUCCESS;
}

CUstreamCaptureStatus capture_status(Stream& stream, unsigned long long* id) {
    std::lock_guard lock(capture_mutex());
    if (!stream.capture) return CU_STREAM_CAPTURE_STATUS_NONE;
    if (id != nullptr) *id = stream.capture->id;
    return stream.capture->invalidated ? CU_STREAM_CAPTURE_STATUS_INVALIDATED : CU_STREAM_CAPTURE_STATUS_ACTIVE;
}

CUresult check_no_capture() {
    if (capture_count == 0) return CUDA_SUCCESS;
    std::lock_guard lock(capture_mutex());
    CUresult result = CUDA_SUCCESS;
    for (auto& capture : captures())
        if (forbids(*capture)) {
            capture->invalidated = true;
            result = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
        }
    return result;
}

CUstreamCaptureMode exchange_capture_mode(CUstreamCaptureMode mode) {
    CUstreamCaptureMode old = thread_mode;
    thread_mode = mode;
    return old;
}

}  // namespace sltt_cpu
