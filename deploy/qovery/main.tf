# Tallymark on Qovery (https://www.qovery.com), in your own cluster. Qovery is configured by its Terraform provider. docs/hosting/platforms.md tells how.
#
#   terraform init && terraform apply
terraform {
  required_version = ">= 1.5"
  required_providers {
    qovery = {
      source  = "qovery/qovery"
      version = ">= 0.41"
    }
  }
}

provider "qovery" {
  token = var.qovery_access_token
}

locals {
  settings = [
    { key = "TALLYMARK_PUBLIC_URL", value = var.public_url },
    { key = "TALLYMARK_FILES_URL", value = var.files_url },
    # Routers take some seconds to notice that an instance stops.
    { key = "TALLYMARK_DRAIN_SECONDS", value = "10" },
  ]
  secrets = [
    { key = "DATABASE_URL", value = var.database_url },
  ]
}

resource "qovery_project" "tallymark" {
  organization_id = var.qovery_organization_id
  name            = "Tallymark"
}

resource "qovery_environment" "production" {
  project_id = qovery_project.tallymark.id
  cluster_id = var.qovery_cluster_id
  name       = "production"
  mode       = "PRODUCTION"
}

# The services of a stage are deployed when those of the one before are; where a migration fails, nothing is replaced.
resource "qovery_deployment_stage" "migration" {
  environment_id = qovery_environment.production.id
  name           = "Migration"
}

resource "qovery_deployment_stage" "services" {
  environment_id = qovery_environment.production.id
  name           = "Services"
  is_after       = qovery_deployment_stage.migration.id
}

resource "qovery_job" "migrate" {
  environment_id       = qovery_environment.production.id
  deployment_stage_id  = qovery_deployment_stage.migration.id
  name                 = "migrate"
  cpu                  = 250
  memory               = 512
  max_duration_seconds = 1800
  max_nb_restart       = 2
  auto_deploy          = false

  schedule = {
    on_start = {
      arguments = ["migrate", "--wait", "120"]
    }
  }
  source = {
    image = {
      registry_id = var.qovery_registry_id
      name        = var.image_name
      tag         = var.image_tag
    }
  }
  healthchecks          = {}
  environment_variables = local.settings
  secrets               = local.secrets
}

resource "qovery_container" "api" {
  environment_id        = qovery_environment.production.id
  deployment_stage_id   = qovery_deployment_stage.services.id
  registry_id           = var.qovery_registry_id
  name                  = "api"
  image_name            = var.image_name
  tag                   = var.image_tag
  arguments             = ["api"]
  auto_deploy           = false
  cpu                   = 500
  memory                = 1024
  min_running_instances = 2
  max_running_instances = 10

  ports = [
    {
      name                = "http"
      internal_port       = 8787
      external_port       = 443
      protocol            = "HTTP"
      publicly_accessible = true
      is_default          = true
    }
  ]
  custom_domains = [for domain in var.domains : { domain = domain, generate_certificate = true }]

  healthchecks = {
    readiness_probe = {
      type                  = { http = { port = 8787, path = "/ready", scheme = "HTTP" } }
      initial_delay_seconds = 5
      period_seconds        = 5
      timeout_seconds       = 5
      success_threshold     = 1
      failure_threshold     = 2
    }
    liveness_probe = {
      type                  = { http = { port = 8787, path = "/ready", scheme = "HTTP" } }
      initial_delay_seconds = 60
      period_seconds        = 20
      timeout_seconds       = 5
      success_threshold     = 1
      failure_threshold     = 3
    }
  }
  environment_variables = local.settings
  secrets               = local.secrets
}

# The scheduler is in each worker; a lock lets one of them act at a time.
resource "qovery_container" "worker" {
  environment_id        = qovery_environment.production.id
  deployment_stage_id   = qovery_deployment_stage.services.id
  registry_id           = var.qovery_registry_id
  name                  = "worker"
  image_name            = var.image_name
  tag                   = var.image_tag
  arguments             = ["worker"]
  auto_deploy           = false
  cpu                   = 500
  memory                = 1024
  min_running_instances = 2
  max_running_instances = 2

  healthchecks = {
    liveness_probe = {
      type                  = { exec = { command = ["tallymark", "health", "--worker"] } }
      initial_delay_seconds = 60
      period_seconds        = 30
      timeout_seconds       = 10
      success_threshold     = 1
      failure_threshold     = 3
    }
  }
  environment_variables = local.settings
  secrets               = local.secrets
}

# A new tag deploys anew: the version is made of it.
resource "qovery_deployment" "production" {
  environment_id = qovery_environment.production.id
  desired_state  = "RUNNING"
  version        = uuidv5("url", "${var.image_name}:${var.image_tag}")

  depends_on = [
    qovery_job.migrate,
    qovery_container.api,
    qovery_container.worker,
  ]
}
