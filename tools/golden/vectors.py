"""Files of recorded vectors."""
import json, os, struct


def write_safetensors(path, tensors, metadata):
    """Metadata that is no text is written as JSON."""
    kinds = {"float32": "F32", "int64": "I64"}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in metadata.items()}
    header, parts, offset = {"__metadata__": texts}, [], 0
    for name, tensor in tensors.items():
        array = tensor.detach().cpu().contiguous().numpy()
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        header[name] = {"dtype": kinds[str(array.dtype)], "shape": list(array.shape), "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))
        os.replace(temporary, path)
    except OSError:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise
