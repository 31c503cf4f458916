"""PASCAL VOC from two annotated pictures."""

import pytest

from tensorlayer import files
from tensorlayer.errors import Corrupt, InvalidArgument
from tests.files.loaders import samples


@pytest.fixture
def folder(tmp_path):
    for name, content in samples.VOC.items():
        (tmp_path / name.rpartition("/")[2]).write_bytes(content)
    return tmp_path


def test_everything_is_in_the_place_of_its_picture(folder):
    found = files.load_voc_dataset(folder)
    images, semseg, insseg, annotations, classes, in_person, numbers, n_objs, infos, dicts = found
    top = folder / "VOC" / "VOC2012"
    stems = ["2007_000027", "2007_000032"]
    assert images == [str(top / "JPEGImages" / f"{stem}.jpg") for stem in stems]
    assert annotations == [str(top / "Annotations" / f"{stem}.xml") for stem in stems]
    assert semseg == [str(top / "SegmentationClass" / "2007_000032.png")]
    assert insseg == [str(top / "SegmentationObject" / "2007_000032.png")]
    assert (len(classes), classes[14], in_person) == (20, "person", [])
    assert numbers["tvmonitor"] == 19
    assert n_objs == [2, 0]
    # centre x, centre y, width, height of (20, 10, 60, 90) and (100, 50, 200, 100) in 200 x 100
    assert infos == ["14 0.2 0.5 0.2 0.8\n7 0.75 0.75 0.5 0.5\n", ""]
    first = dicts[images[0]]
    assert first["size"] == {"width": "200", "height": "100", "depth": "3"}
    assert [each["name"] for each in first["object"]] == ["person", "dog", "cat"]
    assert first["object"][0]["part"][0]["name"] == "head"


def test_parts_of_a_person_may_count_too(folder):
    found = files.load_voc_dataset(folder, "2012", contain_classes_in_person=True)
    assert found[4][-3:] == found[5] == ["head", "hand", "foot"]
    assert found[7] == [3, 0]
    assert found[8][0].splitlines()[1] == "20 0.2 0.2 0.1 0.2"


def test_an_unknown_year_is_an_error(folder):
    with pytest.raises(InvalidArgument, match=r"no dataset '2013'. Did you mean '2012'"):
        files.load_voc_dataset(folder, "2013")


def test_the_test_data_of_2012_has_to_be_put_there(folder):
    with pytest.raises(
        FileNotFoundError, match=r"without registering. Unpack it to '.*VOC2012test"
    ):
        files.load_voc_dataset(folder, "2012test")
    (folder / "VOC2012test.tar").write_bytes(samples.voc_tar(2012))
    assert len(files.load_voc_dataset(folder, "2012test")[0]) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("</annotation>", "", "no element found|unclosed"),
        ("<width>200</width>", "", "there is no size/width in <annotation>"),
        ("<xmax>60</xmax>", "<xmax>x</xmax>", "could not convert"),
        ("<name>cat</name>", "", "there is no name in <object>"),
        ("<width>200</width>", "<width>0</width>", "division by zero"),
    ],
)
def test_a_damaged_annotation_is_named(old, new, message, folder):
    files.load_voc_dataset(folder)
    path = folder / "VOC" / "VOC2012" / "Annotations" / "2007_000027.xml"
    path.write_text(samples.VOC_ANNOTATION.replace(old, new))
    with pytest.raises(Corrupt, match=rf"2007_000027\.xml' is not an annotation.*({message})"):
        files.load_voc_dataset(folder)
