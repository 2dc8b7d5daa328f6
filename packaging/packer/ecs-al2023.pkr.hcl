# The ECS-optimized Amazon Linux 2023 image with Berth in it: enabled, and
# started with each instance.
#
#   packer init ecs-al2023.pkr.hcl
#   packer build -var release=https://artifacts.example.com/berth/1.2.3 ecs-al2023.pkr.hcl

# since 1.7
packer {
  required_plugins {
    amazon = {
      version = ">= 1.2.8"
      source  = "github.com/hashicorp/amazon"
    }
  }
}
# end

variable "release" {
  type        = string
  description = "URL of the folder with the files of a release of Berth."
}

variable "region" {
  type    = string
  default = "eu-central-1"
}

variable "architecture" {
  type        = string
  default     = "x86_64"
  description = "Either x86_64 or arm64."
}

variable "signer" {
  type        = string
  default     = ""
  description = "Line of an allowed signers file, as ssh-keygen has it, for berth-release. Empty: trust the URL."
}

variable "config" {
  type        = string
  default     = ""
  description = "Text of the image's berth.yaml. Empty: the default one."
}

locals {
  started = formatdate("YYYYMMDD-hhmmss", timestamp())
}

source "amazon-ebs" "ecs" {
  ami_name        = "ecs-al2023-berth-${var.architecture}-${local.started}"
  ami_description = "ECS-optimized Amazon Linux 2023 with Berth"
  region          = var.region
  instance_type   = var.architecture == "arm64" ? "t4g.small" : "t3.small"
  ssh_username    = "ec2-user"

  source_ami_filter {
    filters = {
      name                = "al2023-ami-ecs-hvm-*"
      architecture        = var.architecture
      root-device-type    = "ebs"
      virtualization-type = "hvm"
    }
    owners      = ["amazon"]
    most_recent = true
  }

  # since 1.7
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  imds_support = "v2.0"
  # end

  tags = {
    Name  = "ecs-al2023-berth"
    berth = var.release
  }
}

build {
  sources = ["source.amazon-ebs.ecs"]

  provisioner "file" {
    source      = "${path.root}/../install.sh"
    destination = "/tmp/install-berth.sh"
  }

  provisioner "shell" {
    environment_vars = [
      "RELEASE=${var.release}",
      "SIGNER=${var.signer}",
      "CONFIG_BASE64=${base64encode(var.config)}",
    ]
    inline = [
      "set -eu",
      "if [ -n \"$CONFIG_BASE64\" ]; then echo \"$CONFIG_BASE64\" | base64 -d | sudo install -D -m 0644 /dev/stdin /etc/berth/berth.yaml; fi",
      "if [ -n \"$SIGNER\" ]; then echo \"$SIGNER\" >/tmp/berth-signers; set -- --signers /tmp/berth-signers; else set --; fi",
      "sudo sh /tmp/install-berth.sh --bake \"$@\" \"$RELEASE\"",
      "berth config check /etc/berth/berth.yaml",
      "rm -f /tmp/install-berth.sh /tmp/berth-signers",
    ]
  }
}
