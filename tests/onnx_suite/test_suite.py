"""A sample of ONNX's official backend suite, through compiled C. All of it: benchmarks/onnx_suite.py."""

from __future__ import annotations

import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from benchmarks import onnx_suite
from tinycc_ml import backend
from tinycc_ml.errors import NeedsValue, UnsupportedError

# One of each family, and what has been wrong before
_NAMES = (
    "abs add_int8 and_bcast3v1d argmax_keepdims_random_select_last_index attention_4d_causal averagepool_3d_default "
    "attention_4d_causal_fp16 cast_DOUBLE_to_FLOAT16 castlike_BFLOAT16_to_FLOAT celu_bfloat16 compress_bfloat16 qlinearmatmul_2D_int8_float16 "
    "basic_conv_without_padding batchnorm_example bitshift_right_int32_negative_input bitwise_not_3d bitcast_2d_float32_to_int32 "
    "cast_FLOAT_to_DOUBLE clip_default_int8_inbounds clip compress_0 concat_3d_axis_negative_1 constant_pad conv_with_strides_padding "
    "convinteger_with_padding convtranspose_3d cumsum_2d_negative_axis depthtospace_crd_mode_example dequantizelinear_axis "
    "div_uint8 einsum_batch_matmul equal_int16 expand_dim_changed eyelike_with_dtype gather_negative_indices gather_elements_1 "
    "gathernd_example_int32_batch_dim1 gemm_all_attributes gelu_tanh_1 greater_equal_bcast group_normalization_example hardmax_axis_1 "
    "if instancenorm_epsilon isinf_negative l2normalization_axis_0 layer_normalization_4d_axis1 less_uint64 log logsoftmax_axis_0 "
    "lppool_3d_default lrn matmul_3d matmulinteger maxpool_with_argmax_2d_precomputed_strides mod_int64_fmod mod_mixed_sign_int8 mvn "
    "nllloss_NCd1d2_with_weight not_4d onehot_negative_indices pow_types_float32_int64 prelu_broadcast qlinearmatmul_2D_uint8_float32 "
    "quantizelinear_blocked_asymmetric range_int32_type_negative_delta reduce_log_sum_exp_empty_set reduce_max_bool_inputs "
    "reduce_sum_square_do_not_keepdims_example resize_downsample_scales_cubic_antialias resize_tf_crop_and_resize reversesequence_time "
    "rms_normalization_3d_axis_negative_3_epsilon scatter_elements_with_duplicate_indices scatternd_add sce_mean_weight_ii shape_start_1 "
    "slice_neg_steps slice_start_out_of_bounds softmax_axis_1 spacetodepth_crd_mode_example split_zero_size_splits_opset18 "
    "sub_uint16 sum_example tile top_k_smallest tril_zero triu_neg unique_sorted_with_axis where_long_example xor_bcast4v2d "
    "lstm_with_peepholes gru_seq_length simple_rnn_batchwise scan9_sum loop11 dft_opset19 dft_inverse dft_irfft stft"
)
SAMPLE = tuple(re.findall(r"\w+", _NAMES))


@pytest.fixture(scope="module")
def outcomes() -> dict[str, onnx_suite.Outcome]:
    pattern = f"^test_({'|'.join(SAMPLE)})$"
    tests = onnx_suite.tests_of(("node",), pattern)
    return {o.name: o for o in onnx_suite.run(tests, processes=1)}


@pytest.mark.parametrize("name", SAMPLE)
def test_c_gives_what_the_suite_wants(name: str, outcomes: dict[str, onnx_suite.Outcome]) -> None:
    outcome = outcomes[f"test_{name}"]
    assert outcome.status == "passed", outcome.reason


def _model(op: str, inputs: dict[str, tuple[int, list[int]]]) -> onnx.ModelProto:
    values = [helper.make_tensor_value_info(n, t, s) for n, (t, s) in inputs.items()]
    node = helper.make_node(op, list(inputs), ["y"])
    made = [helper.make_empty_tensor_value_info("y")]
    imports = [helper.make_opsetid("", 20)]
    return helper.make_model(helper.make_graph([node], "net", values, made), opset_imports=imports)


FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def test_a_value_that_decides_a_shape_is_taken_from_the_run() -> None:
    model = _model("Expand", {"x": (FLOAT, [1]), "shape": (INT64, [1])})
    with pytest.raises(UnsupportedError) as caught:
        backend.prepare(model, bind=False)
    assert isinstance(caught.value.problems[0], NeedsValue)
    prepared = backend.prepare(model)
    for count in (3, 2, 3):
        (y,) = prepared.run([np.float32([7]), np.asarray([count])])
        np.testing.assert_array_equal(y, np.full(count, 7, np.float32))
    assert prepared.bound == ("shape",)


def test_a_value_that_decides_no_shape_stays_an_input() -> None:
    prepared = backend.prepare(_model("Gather", {"x": (FLOAT, [4]), "at": (INT64, [2])}))
    for at in ([0, 3], [2, -1]):
        (y,) = prepared.run([np.float32([5, 6, 7, 8]), np.asarray(at)])
        np.testing.assert_array_equal(y, np.float32([5, 6, 7, 8])[at])
    assert prepared.bound == ()


def test_the_interface_is_onnx_s_own() -> None:
    assert backend.supports_device("CPU") and not backend.supports_device("CUDA")
    node = helper.make_node("Add", ["a", "b"], ["y"])
    (y,) = backend.run_node(node, [np.int8([100]), np.int8([100])])
    assert y.dtype == np.int8 and y[0] == -56
    model = _model("Neg", {"x": (FLOAT, [2])})
    np.testing.assert_array_equal(backend.run_model(model, [np.float32([1, -2])])[0], [-1, 2])
