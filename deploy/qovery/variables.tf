variable "qovery_access_token" {
  description = "An API token of the Qovery organization."
  type        = string
  sensitive   = true
}

variable "qovery_organization_id" {
  description = "The Qovery organization's id."
  type        = string
}

variable "qovery_cluster_id" {
  description = "The id of the cluster that Tallymark runs in."
  type        = string
}

variable "qovery_registry_id" {
  description = "The id of the registry, as Qovery knows it, that has the image."
  type        = string
}

variable "image_name" {
  description = "The image, without its tag."
  type        = string
  default     = "tallymark/tallymark"
}

variable "image_tag" {
  description = "The release that is to run."
  type        = string
}

variable "database_url" {
  description = "An existing PostgreSQL of version 15 or newer, of which the user is the owner, with CREATEROLE."
  type        = string
  sensitive   = true
}

variable "files_url" {
  description = "Where documents are kept: s3://bucket/prefix, gs://... or az://..."
  type        = string
}

variable "public_url" {
  description = "The address under which clients reach Tallymark."
  type        = string
}

variable "domains" {
  description = "Your own domains of the API; public_url is at one of them."
  type        = list(string)
  default     = []
}
