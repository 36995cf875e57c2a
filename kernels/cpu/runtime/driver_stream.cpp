// Driver API: streams, events, capture.
#include "runtime/objects.h"
#include "runtime/stream.h"

using namespace sltt_cpu;

// ---- Streams ---------------------------------------------------------------------------------------------------------

// Only non-blocking streams are served: a blocking one would wait for the default stream, which the engine does not use.
SLTT_API CUresult cuStreamCreate(CUstream* handle, unsigned flags) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    if (handle == nullptr || flags > CU_STREAM_NON_BLOCKING) return CUDA_ERROR_INVALID_VALUE;
    if (flags != CU_STREAM_NON_BLOCKING) return CUDA_ERROR_NOT_SUPPORTED;
    *handle = reinterpret_cast<CUstream>(make_stream(current_context(), false).get());
    return CUDA_SUCCESS;
}

// Runs the stream's remaining work first, or drops its capture.
SLTT_API CUresult cuStreamDestroy_v2(CUstream handle) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    if (result != CUDA_SUCCESS) return result;
    if (stream->is_default) return CUDA_ERROR_INVALID_HANDLE;
    if (is_captured(*stream)) {
        std::shared_ptr<Graph> dropped;
        end_capture(*stream, &dropped);
    } else {
        result = synchronize(*stream);
    }
    streams().remove(handle);
    return result;
}

SLTT_API CUresult cuStreamSynchronize(CUstream handle) { return synchronize(handle); }

SLTT_API CUresult cuStreamWaitEvent(CUstream handle, CUevent event_handle, unsigned flags) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    if (result != CUDA_SUCCESS) return result;
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
    auto event = events().find(event_handle);
    return event ? wait_event(*stream, event->latest()) : CUDA_ERROR_INVALID_HANDLE;
}

// ---- Capture ---------------------------------------------------------------------------------------------------------

SLTT_API CUresult cuStreamBeginCapture_v2(CUstream handle, CUstreamCaptureMode mode) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    if (result != CUDA_SUCCESS) return result;
    if (mode < CU_STREAM_CAPTURE_MODE_GLOBAL || mode > CU_STREAM_CAPTURE_MODE_RELAXED) return CUDA_ERROR_INVALID_VALUE;
    return mode == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL ? begin_capture(*stream) : CUDA_ERROR_NOT_SUPPORTED;
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

SLTT_API CUresult cuEventSynchronize(CUevent handle) {
    std::shared_ptr<Event> event;
    CUresult result = find_event(handle, &event);
    if (result != CUDA_SUCCESS) return result;
    auto record = event->latest();
    return record ? synchronize(*record, event->device) : CUDA_SUCCESS;
}

SLTT_API CUresult cuEventElapsedTime(float* milliseconds, CUevent start_handle, CUevent end_handle) {
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
