{{/* The names that everything begins with. */}}
{{- define "tallymark.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "tallymark.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "tallymark.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "tallymark.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What a Service, a Deployment or a policy picks its pods by: (dict "root" $ "component" "api"). */}}
{{- define "tallymark.selector" -}}
app.kubernetes.io/name: {{ include "tallymark.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "tallymark.labels" -}}
{{ include "tallymark.selector" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "tallymark.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "tallymark.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "tallymark.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* The variables of every container: what the values say, and secrets by reference alone. */}}
{{- define "tallymark.env" -}}
- name: DATABASE_URL
{{- if .Values.postgresql.enabled }}
  value: postgresql://tallymark@{{ include "tallymark.fullname" . }}-postgresql:5432/tallymark
- name: PGPASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ required "postgresql.existingSecret is required: a Secret with the database's password" .Values.postgresql.existingSecret }}
      key: {{ .Values.postgresql.key }}
{{- else }}
  valueFrom:
    secretKeyRef:
      name: {{ required "database.existingSecret is required: a Secret with the URL of your PostgreSQL (or postgresql.enabled)" .Values.database.existingSecret }}
      key: {{ .Values.database.key }}
{{- end }}
- name: TALLYMARK_PUBLIC_URL
  value: {{ required "publicUrl is required: the address under which clients reach Tallymark" .Values.publicUrl | quote }}
{{- with .Values.files.url }}
- name: TALLYMARK_FILES_URL
  value: {{ . | quote }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{/* Of the pods that have an internal port, and of what leads there. */}}
{{- define "tallymark.internalLabel" -}}
{{- if .Values.internal.enabled -}}
tallymark.com/internal: "true"
{{- end }}
{{- end }}

{{- define "tallymark.internalPort" -}}
{{- if .Values.internal.enabled }}
- name: internal
  containerPort: {{ .Values.internal.port }}
{{- end }}
{{- end }}

{{- define "tallymark.envFrom" -}}
{{- with .Values.existingSecrets }}
envFrom:
{{- range . }}
  - secretRef:
      name: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{/* A container of the image with what all of them have: (dict "root" $ "name" ... "args" list "resources" ... ["env" dict "isServer" bool]). */}}
{{- define "tallymark.container" -}}
name: {{ .name }}
image: {{ include "tallymark.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: {{ toJson .args }}
env:
  {{- include "tallymark.env" .root | nindent 2 }}
  {{- range $name, $value := .env }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
  {{- if and .isServer .root.Values.internal.enabled }}
  - name: TALLYMARK_INTERNAL_HOST
    value: 0.0.0.0
  - name: TALLYMARK_INTERNAL_PORT
    value: {{ .root.Values.internal.port | quote }}
  {{- end }}
{{- include "tallymark.envFrom" .root | nindent 0 }}
securityContext:
  {{- toYaml .root.Values.securityContext | nindent 2 }}
resources:
  {{- toYaml .resources | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  - name: documents
    mountPath: /var/lib/tallymark
{{- end }}

{{- define "tallymark.volumes" -}}
- name: tmp
  emptyDir: {}
- name: documents
{{- if .Values.files.existingClaim }}
  persistentVolumeClaim:
    claimName: {{ .Values.files.existingClaim }}
{{- else if or .Values.files.url .Values.files.ephemeral }}
  emptyDir: {}
{{- else }}
  {{- fail "say where documents are kept: files.url, files.existingClaim, or files.ephemeral to try it" }}
{{- end }}
{{- end }}

{{/* In the cluster's own database nothing can be migrated before it is there: the pods do it, one after another. */}}
{{- define "tallymark.initContainers" -}}
{{- if .Values.postgresql.enabled }}
initContainers:
  - {{- include "tallymark.container" (dict "root" . "name" "migrate" "args" (list "migrate" "--wait" (toString .Values.migrations.waitSeconds)) "resources" .Values.migrations.resources) | nindent 4 }}
{{- end }}
{{- end }}

{{/* What of a pod is the operator's to say: (dict "root" $ "component" "api" "values" .Values.api). */}}
{{- define "tallymark.scheduling" -}}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
topologySpreadConstraints:
{{- if .values.topologySpreadConstraints }}
  {{- toYaml .values.topologySpreadConstraints | nindent 2 }}
{{- else }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "tallymark.selector" . | nindent 8 }}
{{- end }}
{{- end }}

{{/* The alert rules; a ServiceMonitor's job is called as the Service is that it finds. */}}
{{- define "tallymark.alerts" -}}
{{- $rules := .Files.Get "files/alerts.yaml" }}
{{- if .Values.serviceMonitor.enabled }}
{{- $job := printf `job="%s-internal",namespace="%s"` (include "tallymark.fullname" .) .Release.Namespace }}
{{- $rules | replace `job=~".*tallymark.*"` $job }}
{{- else }}
{{- $rules }}
{{- end }}
{{- end }}
