"""Torch modules as ONNX models, in float32 and in int8."""

import os
import tempfile

import numpy as np
import torch


def export_module(module, images):
    """Convert a torch module to an ONNX model.

    Parameters
    ----------
    module : torch.nn.Module
        A module from images to features, in evaluation mode.
    images : ndarray of shape (n_samples, height, width), dtype float32
        Images; the model takes any number of this size.

    Returns
    -------
    bytes
        The model.

    Raises
    ------
    ValueError
        If there is a layer that PyTorch cannot convert.
    """
    example = torch.from_numpy(np.repeat(images[:1], 2, axis=0))
    shapes = ({0: torch.export.Dim("n_samples", min=1, max=2**20)},)
    table = {torch.ops.aten.adaptive_max_pool2d.default: _adaptive_max_pool}
    try:
        program = torch.onnx.export(
            module, (example,), dynamo=True, dynamic_shapes=shapes, custom_translation_table=table, verbose=False
        )
    except torch.onnx.errors.OnnxExporterError as error:
        raise ValueError(
            f"The network cannot be converted to ONNX: {str(error.__cause__ or error).splitlines()[0]}. Use the "
            "featurizer itself."
        ) from error
    return program.model_proto.SerializeToString()


def quantize(model, images, n_float):
    """Quantize the convolutions of an ONNX model to int8, each channel of their weights on its own scale.

    Parameters
    ----------
    model : bytes
        The model.
    images : ndarray of shape (n_samples, height, width), dtype float32
        Images from which the scales of activations are taken.
    n_float : int
        The first so many convolutions remain in float32.

    Returns
    -------
    bytes
        The model.
    """
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Images(quantization.CalibrationDataReader):
        def __init__(self, name):
            self.feeds = iter([{name: image[None]} for image in images])

        def get_next(self):
            return next(self.feeds, None)

    with tempfile.TemporaryDirectory() as folder:
        given, before, after = (os.path.join(folder, name) for name in ("given.onnx", "float32.onnx", "int8.onnx"))
        with open(given, "wb") as file:
            file.write(model)
        quant_pre_process(given, before, skip_symbolic_shape=True)
        graph = onnx.load(before).graph
        quantization.quantize_static(
            before,
            after,
            Images(graph.input[0].name),
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True,
            # Without it, products overflow on processors without VNNI.
            reduce_range=True,
            op_types_to_quantize=["Conv", "Relu"],
            nodes_to_exclude=_first_convolutions(graph, n_float),
        )
        with open(after, "rb") as file:
            return file.read()


def count_convolutions(model):
    """Count the convolutions of an ONNX model; those of several magnifications, with the same weights, count once.

    Parameters
    ----------
    model : bytes
        The model.

    Returns
    -------
    int
        The number.
    """
    import onnx

    graph = onnx.load_from_string(model).graph
    return len({node.input[1] for node in graph.node if node.op_type == "Conv"})


def _first_convolutions(graph, n_convolutions):
    """Return the names of the nodes of the first convolutions, and of the ReLUs after them."""
    weights = list(dict.fromkeys(node.input[1] for node in graph.node if node.op_type == "Conv"))[:n_convolutions]
    first = [node for node in graph.node if node.op_type == "Conv" and node.input[1] in weights]
    outputs = {node.output[0] for node in first}
    return [node.name for node in (*first, *(node for node in graph.node if node.input and node.input[0] in outputs))]


def _adaptive_max_pool(maps, output_size):
    """Compute the largest value of each cell of a grid over the maps; ONNX has no such operator."""
    from onnxscript import opset18 as op

    def constant(value):
        return op.Constant(value_ints=[value])

    for axis, size, n_cells in zip((2, 3), maps.shape[2:], output_size):
        cells = []
        for cell in range(n_cells):
            bounds = cell * size // n_cells, -(-(cell + 1) * size // n_cells)
            part = op.Slice(maps, *map(constant, bounds), constant(axis))
            cells.append(op.ReduceMax(part, constant(axis), keepdims=1))
        maps = op.Concat(*cells, axis=axis)
    # The second output, the places of the values, is not used.
    return maps, op.Cast(maps, to=7)
