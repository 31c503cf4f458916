"""Networks of well-known papers, with the names, and the trained weights, that scripts rely on."""

from tensorlayer.models.zoo import mobilenet, resnet, squeezenet, vgg
from tensorlayer.models.zoo.mobilenet import *
from tensorlayer.models.zoo.resnet import *
from tensorlayer.models.zoo.squeezenet import *
from tensorlayer.models.zoo.vgg import *

__all__ = [*mobilenet.__all__, *resnet.__all__, *squeezenet.__all__, *vgg.__all__]
