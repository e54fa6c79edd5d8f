import cv2
import numpy as np
import pytest

from cuelens_models.audit.find import cluster_distances, near_duplicates, perceptual_hashes


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (30, 9, 9), dtype=np.uint8)
    return np.stack([cv2.resize(picture, (48, 48), interpolation=cv2.INTER_CUBIC) for picture in small])


def test_a_face_that_is_shrunk_compressed_or_brightened_is_found_again(faces: np.ndarray) -> None:
    shrunk = cv2.resize(cv2.resize(faces[3], (32, 32), interpolation=cv2.INTER_AREA), (48, 48))
    squeezed = cv2.imdecode(cv2.imencode(".jpg", faces[5], [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_GRAYSCALE)
    brighter = np.uint8(np.clip(faces[7] * 0.8 + 30, 0, 255))
    hashes = perceptual_hashes(np.stack([*faces, shrunk, squeezed, brighter]))
    assert near_duplicates(hashes, 6).tolist() == [[3, 30], [5, 31], [7, 32]]


def test_pairs_are_found_across_blocks_of_rows() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**63, 1200, dtype=np.uint64)
    hashes[1100] = hashes[3] ^ np.uint64(0b101)
    hashes[700] = hashes[600]
    assert near_duplicates(hashes, 2).tolist() == [[3, 1100], [600, 700]]
    assert near_duplicates(hashes, 1).tolist() == [[600, 700]]
    assert near_duplicates(hashes[:1], 2).shape == (0, 2)


def test_one_that_lies_far_from_its_cluster_stands_out() -> None:
    pytest.importorskip("sklearn", reason="clustering needs the extra train")
    random = np.random.default_rng(0)
    features = np.concatenate([random.normal(0, 1, (60, 5)), random.normal(30, 1, (60, 5))])
    features[17] += 12
    distance = cluster_distances(features, 2, 0)
    assert distance.argmax() == 17
    assert distance[17] > 3 * np.sort(distance)[-2]
