// Driver API: streams, events, capture.
#include "memory.h"
#include "runtime.h"
#include "stream.h"

using namespace sltt_cpu;

// ---- Streams ---------------------------------------------------------------------------------------------------------

SLTT_API CUresult cuStreamCreateWithPriority(CUstream* handle, unsigned flags, int priority) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    if (handle == nullptr || flags > CU_STREAM_NON_BLOCKING) return CUDA_ERROR_INVALID_VALUE;
    *handle = reinterpret_cast<CUstream>(make_stream(current_context(), flags, priority, false).get());
    return CUDA_SUCCESS;
}
SLTT_API CUresult cuStreamCreate(CUstream* handle, unsigned flags) { return cuStreamCreateWithPriority(handle, flags, 0); }

// Work that still waits runs first. The default streams cannot be destroyed.
SLTT_API CUresult cuStreamDestroy_v2(CUstream handle) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    if (result != CUDA_SUCCESS) return result;
    if (stream->legacy) return CUDA_ERROR_INVALID_HANDLE;
    if (capture_status(*stream, nullptr) != CU_STREAM_CAPTURE_STATUS_NONE) {
        std::shared_ptr<Graph> dropped;
        end_capture(*stream, &dropped);
    } else {
        result = synchronize(*stream);
    }
    streams().remove(handle);
    return result;
}

SLTT_API CUresult cuStreamSynchronize(CUstream handle) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    return result == CUDA_SUCCESS ? synchronize(*stream) : result;
}

SLTT_API CUresult cuStreamQuery(CUstream handle) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    return result == CUDA_SUCCESS ? query(*stream) : result;
}

SLTT_API CUresult cuStreamWaitEvent(CUstream handle, CUevent event_handle, unsigned flags) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    if (result != CUDA_SUCCESS) return result;
    if (flags > 1) return CUDA_ERROR_INVALID_VALUE;
    auto event = events().find(event_handle);
    return event ? wait_event(*stream, event->latest()) : CUDA_ERROR_INVALID_HANDLE;
}

SLTT_API CUresult cuStreamGetFlags(CUstream handle, unsigned* flags) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    if (result != CUDA_SUCCESS) return result;
    if (flags == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *flags = stream->flags;
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuStreamGetPriority(CUstream handle, int* priority) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    if (result != CUDA_SUCCESS) return result;
    if (priority == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *priority = 0;  // the one priority there is
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuStreamGetCtx(CUstream handle, CUcontext* context) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    if (result != CUDA_SUCCESS) return result;
    if (context == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *context = reinterpret_cast<CUcontext>(stream->context.lock().get());
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuLaunchHostFunc(CUstream handle, CUhostFn function, void* data) {
    if (function == nullptr) return CUDA_ERROR_INVALID_VALUE;
    return enqueue(handle, [=] { function(data); }, "cuLaunchHostFunc");
}

SLTT_API CUresult cuStreamAddCallback(CUstream handle, CUstreamCallback callback, void* data, unsigned flags) {
    if (callback == nullptr || flags != 0) return CUDA_ERROR_INVALID_VALUE;
    if (is_capturing(handle)) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    return enqueue(handle, [=] { callback(handle, CUDA_SUCCESS, data); }, "cuStreamAddCallback");
}

// ---- Capture ---------------------------------------------------------------------------------------------------------

SLTT_API CUresult cuStreamBeginCapture_v2(CUstream handle, CUstreamCaptureMode mode) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    return result == CUDA_SUCCESS ? begin_capture(*stream, mode) : result;
}

SLTT_API CUresult cuStreamEndCapture(CUstream handle, CUgraph* graph_handle) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    if (result != CUDA_SUCCESS) return result;
    if (graph_handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *graph_handle = nullptr;
    std::shared_ptr<Graph> graph;
    if ((result = end_capture(*stream, &graph)) == CUDA_SUCCESS) *graph_handle = graphs().add(graph);
    return result;
}

SLTT_API CUresult cuStreamIsCapturing(CUstream handle, CUstreamCaptureStatus* status) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    if (result != CUDA_SUCCESS) return result;
    if (status == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *status = capture_status(*stream, nullptr);
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuStreamGetCaptureInfo(CUstream handle, CUstreamCaptureStatus* status, unsigned long long* id) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    if (result != CUDA_SUCCESS) return result;
    if (status == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *status = capture_status(*stream, id);
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode) {
    if (mode == nullptr || *mode < CU_STREAM_CAPTURE_MODE_GLOBAL || *mode > CU_STREAM_CAPTURE_MODE_RELAXED) return CUDA_ERROR_INVALID_VALUE;
    *mode = exchange_capture_mode(*mode);
    return CUDA_SUCCESS;
}

// ---- Events ----------------------------------------------------------------------------------------------------------

namespace {
CUresult find_event(CUevent handle, std::shared_ptr<Event>* event) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    *event = events().find(handle);
    return *event ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}
}  // namespace

SLTT_API CUresult cuEventCreate(CUevent* handle, unsigned flags) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    if (handle == nullptr || flags > (CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING)) return CUDA_ERROR_INVALID_VALUE;
    auto event = std::make_shared<Event>();
    event->flags = flags;
    event->device = current_context()->device;
    *handle = events().add(event);
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuEventDestroy_v2(CUevent handle) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    return events().remove(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

SLTT_API CUresult cuEventRecord(CUevent handle, CUstream stream_handle) {
    std::shared_ptr<Event> event;
    CUresult result = find_event(handle, &event);
    if (result != CUDA_SUCCESS) return result;
    std::shared_ptr<Stream> stream;
    result = find_stream(stream_handle, &stream);
    return result == CUDA_SUCCESS ? record_event(*stream, *event) : result;
}
SLTT_API CUresult cuEventRecordWithFlags(CUevent handle, CUstream stream, unsigned flags) {
    return flags == 0 ? cuEventRecord(handle, stream) : flags == 1 ? CUDA_ERROR_NOT_SUPPORTED : CUDA_ERROR_INVALID_VALUE;
}

SLTT_API CUresult cuEventQuery(CUevent handle) {
    std::shared_ptr<Event> event;
    CUresult result = find_event(handle, &event);
    if (result != CUDA_SUCCESS) return result;
    auto record = event->latest();
    return record ? query(*record, event->device) : CUDA_SUCCESS;
}

SLTT_API CUresult cuEventSynchronize(CUevent handle) {
    std::shared_ptr<Event> event;
    CUresult result = find_event(handle, &event);
    if (result != CUDA_SUCCESS) return result;
    auto record = event->latest();
    return record ? synchronize(*record, event->device) : CUDA_SUCCESS;
}

SLTT_API CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent start_handle, CUevent end_handle) {
    std::shared_ptr<Event> start, end;
    CUresult result = find_event(start_handle, &start);
    if (result == CUDA_SUCCESS) result = find_event(end_handle, &end);
    if (result != CUDA_SUCCESS) return result;
    if (milliseconds == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (((start->flags | end->flags) & CU_EVENT_DISABLE_TIMING) != 0) return CUDA_ERROR_INVALID_HANDLE;
    auto from = start->latest(), to = end->latest();
    if (!from || !to || from->capture || to->capture) return CUDA_ERROR_INVALID_HANDLE;
    if (!from->done || !to->done) return CUDA_ERROR_NOT_READY;
    *milliseconds = std::chrono::duration<float, std::milli>(to->when - from->when).count();
    return CUDA_SUCCESS;
}
SLTT_API CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) { return cuEventElapsedTime_v2(milliseconds, start, end); }
