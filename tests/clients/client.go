// The official Go client drives the server; arguments: URL, API key. Prints what it found as JSON.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	lago "github.com/getlago/lago-go-client"
)

func main() {
	ctx := context.Background()
	client := lago.New().SetBaseURL(os.Args[1]).SetApiKey(os.Args[2])

	metric, err := client.BillableMetric().Create(ctx, &lago.BillableMetricInput{
		Name: "Calls", Code: "calls", AggregationType: lago.CountAggregation,
	})
	if err != nil {
		log.Fatalf("a metric: %+v", *err)
	}
	read, err := client.BillableMetric().Get(ctx, metric.Code)
	if err != nil {
		log.Fatalf("the metric again: %+v", *err)
	}
	customer, err := client.Customer().Create(ctx, &lago.CustomerInput{ExternalID: "go"})
	if err != nil {
		log.Fatalf("a customer: %+v", *err)
	}
	_, refused := client.Customer().Get(ctx, "nobody")
	if refused == nil {
		log.Fatal("nobody is there")
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"metric": read.Code, "customer": customer.ExternalID, "refused": refused.HTTPStatusCode,
	})
}
