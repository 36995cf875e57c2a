#include "dnn/convolution_shape.h"

namespace sltt_cpu {

void require_convolution(cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t convolution) {
    require_parameter(x != nullptr && x->set, "x has no descriptor");
    require_parameter(w != nullptr && w->set, "the filter has no descriptor");
    require_parameter(convolution != nullptr && convolution->set, "the convolution has no descriptor");
    require(convolution->mode == CUDNN_CROSS_CORRELATION, CUDNN_STATUS_NOT_SUPPORTED, "only cross-correlation is served");
    require_parameter(x->c == w->c, "x and the filter have different input channels");
    int reach_h = (w->h - 1) * convolution->dilation_h + 1, reach_w = (w->w - 1) * convolution->dilation_w + 1;
    require_parameter(x->h + 2 * convolution->pad_h >= reach_h && x->w + 2 * convolution->pad_w >= reach_w,
                      "the filter is larger than the padded input");
}

ConvolutionShape convolution_shape(cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t convolution,
                                   cudnnTensorDescriptor_t y) {
    require_convolution(x, w, convolution);
    require_activations(x, "x has no descriptor");
    require_activations(y, "y has no descriptor");
    require(w->format == CUDNN_TENSOR_NHWC || w->h * w->w == 1 || w->c == 1, CUDNN_STATUS_NOT_SUPPORTED_LAYOUT,
            "filters must be KRSC (NHWC)");
    require(x->type == w->type && x->type == y->type, CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "x, filter and y must have one type");
    require(convolution->compute_type == CUDNN_DATA_FLOAT, CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "only float computation is served");
    const cudnnConvolutionStruct& c = *convolution;
    require_parameter(y->n == x->n && y->c == w->k && y->h == output_size(x->h, w->h, c.pad_h, c.stride_h, c.dilation_h) &&
                          y->w == output_size(x->w, w->w, c.pad_w, c.stride_w, c.dilation_w),
                      "y has not the shape of the convolution's result");
    return {x->n, x->c, x->h, x->w, w->k, w->h, w->w, y->h, y->w, c.pad_h, c.pad_w, c.stride_h, c.stride_w, c.dilation_h, c.dilation_w,
            c.math_type == CUDNN_DEFAULT_MATH};
}

}  // namespace sltt_cpu
